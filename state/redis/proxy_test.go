package redis_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy stands between a driver and its server and can lose answers.
type proxy struct {
	listener net.Listener
	server   string

	mu    sync.Mutex // protects what follows
	mark  []byte     // a request with it is the last of its connection: the server gets it, its answer goes nowhere
	times int        // how many such requests there will be
	cut   chan struct{}
	hold  chan struct{} // new connections wait until it is closed; nil: they do not

	joined map[*gate]bool // the open connections, and whether they are silent
	mute   bool           // new ones are silent as well

	swallow func(request []byte) // called with each that the server is about to get
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	p := &proxy{listener: listener, server: server, cut: make(chan struct{}, 100), joined: map[*gate]bool{}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *proxy) url() string { return "redis://" + p.listener.Addr().String() }

// lose makes the answers to the next requests with the mark be lost. With hold, no new connection gets through until it is closed.
func (p *proxy) lose(mark string, times int, hold chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mark, p.times, p.hold = []byte(mark), times, hold
}

// doomed reports a request whose answer is to be lost.
func (p *proxy) doomed(request []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.times == 0 || !bytes.Contains(request, p.mark) {
		return false
	}
	p.times--
	return true
}

// await returns when new connections may get through.
func (p *proxy) await() {
	p.mu.Lock()
	hold := p.hold
	if p.times > 0 {
		hold = nil // the answer that is to be lost first is still to come
	}
	p.mu.Unlock()
	if hold != nil {
		<-hold
	}
}

// fallsSilent swallows from now on what goes through in both directions, and closes nothing: as a network does that has
// forgotten its connections. With all, new connections fare the same.
func (p *proxy) fallsSilent(all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = all
	for g := range p.joined {
		p.joined[g] = true
	}
}

// enter notes a connection until leave is called.
func (p *proxy) enter(g *gate) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.joined[g] = p.mute
	g.silent = func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.joined[g]
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.joined, g)
	}
}

// count is how many connections are open, silent ones or others.
func (p *proxy) count(silent bool) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, is := range p.joined {
		if is == silent {
			n++
		}
	}
	return n
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	p.await()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	answers := &gate{to: client}
	defer p.enter(answers)()
	go func() {
		_, _ = io.Copy(answers, server)
		_ = client.Close()
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		doomed := p.doomed(buffer[:n])
		if doomed {
			answers.shut()
		}
		if answers.silent() {
			continue
		}
		p.mu.Lock()
		swallow := p.swallow
		p.mu.Unlock()
		if swallow != nil {
			swallow(buffer[:n])
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
		if doomed {
			<-answers.dropped // the server has done it
			p.cut <- struct{}{}
			return
		}
	}
}

// gate lets answers through until it is shut; the first after that is dropped.
type gate struct {
	mu      sync.Mutex // protects dropped
	to      io.Writer
	dropped chan struct{}
	once    sync.Once
	silent  func() bool
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dropped = make(chan struct{})
}

func (g *gate) Write(answer []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.silent() {
		return len(answer), nil
	}
	if g.dropped == nil {
		return g.to.Write(answer)
	}
	g.once.Do(func() { close(g.dropped) })
	return len(answer), nil
}
