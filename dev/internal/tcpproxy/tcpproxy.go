// Package tcpproxy stands between the two ends of TCP connections and fails as networks do:
// it goes silent without a word to either end, in one direction or both, it is slow, and it
// breaks connections.
package tcpproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Direction is a way through a [Proxy].
type Direction int

// The directions: from who connects to the target, and back.
const (
	ToTarget Direction = iota
	FromTarget
)

// Proxy passes on what its clients send to a target, and what the target answers. All methods
// are safe for concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	ctx      context.Context // ends with the proxy
	end      context.CancelFunc
	group    sync.WaitGroup

	mu     sync.Mutex // protects what follows
	silent [2]bool
	delay  time.Duration
	change chan struct{} // closed when silent changes
	pairs  map[*pair]bool
}

// pair is one connection through the proxy, which are two.
type pair struct {
	client, target *net.TCPConn
	broken         bool // by Reset
}

// Open listens on a free port of 127.0.0.1 for connections to the target, a host and port.
// Close must follow.
func Open(target string) (*Proxy, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	p := &Proxy{target: target, listener: listener, change: make(chan struct{}), pairs: map[*pair]bool{}}
	p.ctx, p.end = context.WithCancel(context.Background())
	p.group.Go(p.accept)
	return p, nil
}

// Address is where clients connect to.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Close breaks all connections, stops listening and waits until all that has ended.
func (p *Proxy) Close() {
	p.end()
	_ = p.listener.Close()
	p.Reset()
	p.group.Wait()
}

// Silence has nothing get through any more in these directions, without one, in both; Mend ends
// it. Neither end notices. What is sent meanwhile waits, as that which TCP sends again and again,
// and arrives after Mend. The end of a connection is news like any other. New connections are
// accepted and then silent in both directions.
func (p *Proxy) Silence(directions ...Direction) {
	if len(directions) == 0 {
		directions = []Direction{ToTarget, FromTarget}
	}
	p.set(func() {
		for _, d := range directions {
			p.silent[d] = true
		}
	})
}

// Mend lets everything through again.
func (p *Proxy) Mend() { p.set(func() { p.silent = [2]bool{} }) }

// Delay has everything that is sent from now on arrive that much later, in order.
func (p *Proxy) Delay(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

// Reset breaks the connections that there are, at both ends (RST). New ones can be made.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		pair.reset()
	}
}

func (p *Proxy) set(what func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what()
	close(p.change)
	p.change = make(chan struct{})
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		if client, ok := conn.(*net.TCPConn); ok {
			p.group.Go(func() { p.serve(client) })
		}
	}
}

// serve joins a client to the target until one of them goes.
func (p *Proxy) serve(client *net.TCPConn) {
	pair := &pair{client: client}
	if !p.add(pair) {
		return
	}
	defer p.remove(pair)
	if !p.await(ToTarget) || !p.await(FromTarget) {
		return
	}
	conn, err := (&net.Dialer{}).DialContext(p.ctx, "tcp", p.target)
	if err != nil {
		return
	}
	target, _ := conn.(*net.TCPConn)
	p.mu.Lock()
	pair.target = target
	if pair.broken {
		pair.reset()
	}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.carry(ToTarget, client, target) })
	both.Go(func() { p.carry(FromTarget, target, client) })
	both.Wait()
}

// await returns when the direction is not silent; false: the proxy is closed.
func (p *Proxy) await(d Direction) bool {
	for p.ctx.Err() == nil {
		p.mu.Lock()
		silent, change := p.silent[d], p.change
		p.mu.Unlock()
		if !silent {
			return true
		}
		select {
		case <-change:
		case <-p.ctx.Done():
		}
	}
	return false
}

func (p *Proxy) add(pair *pair) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pairs[pair] = true
	if p.ctx.Err() != nil {
		pair.reset()
		delete(p.pairs, pair)
		return false
	}
	return true
}

func (p *Proxy) remove(pair *pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, pair)
	_ = pair.client.Close()
	if pair.target != nil {
		_ = pair.target.Close()
	}
}

// reset ends both connections with an RST. It requires the proxy's mu.
func (p *pair) reset() {
	p.broken = true
	for _, conn := range []*net.TCPConn{p.client, p.target} {
		if conn != nil {
			_ = conn.SetLinger(0)
			_ = conn.Close()
		}
	}
}

// chunk is what was read at once, and when it is due; an error is the last.
type chunk struct {
	data []byte
	due  time.Time
	err  error
}

// carry passes on what one end sends, and that it has ended. It reads on while the direction is
// silent, for as much as a network would hold.
func (p *Proxy) carry(d Direction, from, to *net.TCPConn) {
	const underway = 1 << 10 // chunks
	chunks := make(chan chunk, underway)
	go func() {
		defer close(chunks)
		buffer := make([]byte, 1<<15)
		for {
			n, err := from.Read(buffer)
			p.mu.Lock()
			due := time.Now().Add(p.delay)
			p.mu.Unlock()
			chunks <- chunk{append([]byte(nil), buffer[:n]...), due, err}
			if err != nil {
				return
			}
		}
	}()
	defer func() {
		for range chunks { // so that the reader ends
		}
	}()
	for c := range chunks {
		if !p.until(c.due) || !p.await(d) || !deliver(c, to) {
			_, _ = from.Close(), to.Close() // no peer is left for what it sends
			return
		}
	}
}

// until reports whether the proxy was still open at that time.
func (p *Proxy) until(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return p.ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// deliver writes a chunk, and closes the connection in the way in which the other end did.
func deliver(c chunk, to *net.TCPConn) bool {
	if _, err := to.Write(c.data); err != nil {
		return false
	}
	switch {
	case c.err == nil:
		return true
	case isEnd(c.err):
		_ = to.CloseWrite()
	default:
		_ = to.SetLinger(0)
		_ = to.Close()
	}
	return true
}

// isEnd reports an end in good order.
func isEnd(err error) bool { return errors.Is(err, io.EOF) }
