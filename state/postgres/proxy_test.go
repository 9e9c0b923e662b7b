package postgres_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// fate is what becomes of a message.
type fate int

const (
	pass fate = iota
	drop
	cut // the connection breaks
)

// proxy stands between drivers and a server and harms what goes through. It does not speak TLS.
type proxy struct {
	server  string
	answer  atomic.Pointer[func(kind byte, body string) fate] // asked about each message of the server
	request atomic.Pointer[func() fate]                       // asked about each packet to the server

	mu     sync.Mutex   // protects what follows
	joined map[int]bool // connections that the client has open, by number, and whether they are silent
	last   int
	mute   bool // new connections are silent as well
}

// fallsSilent swallows from now on what goes through in both directions, and closes nothing: as a network does that has
// forgotten its connections. With all, new connections fare the same.
func (p *proxy) fallsSilent(all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = all
	for n := range p.joined {
		p.joined[n] = true
	}
}

// enter numbers a connection.
func (p *proxy) enter() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	p.joined[p.last] = p.mute
	return p.last
}

func (p *proxy) leave(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.joined, n)
}

// silent reports whether what goes through the connection is swallowed.
func (p *proxy) silent(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.joined[n]
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

// proxied is the URL through a proxy.
func proxied(t *testing.T, address string) (*proxy, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		group.Wait()
	})
	p := &proxy{joined: map[int]bool{}}
	through := with(t, address, func(u *url.URL) {
		p.server, u.Host, u.RawQuery = u.Host, listener.Addr().String(), "sslmode=disable"
	})
	group.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { p.join(client) })
		}
	})
	return p, through
}

// join connects a client to the server until one of them goes.
func (p *proxy) join(client net.Conn) {
	defer client.Close()
	n := p.enter()
	defer p.leave(n)
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer server.Close()
		p.ask(n, client, server)
	}()
	for p.reply(n, client, server) {
	}
}

// ask passes on what the client sends.
func (p *proxy) ask(number int, client io.Reader, server io.Writer) {
	packet := make([]byte, 1<<16)
	for {
		n, err := client.Read(packet)
		if err != nil {
			return
		}
		if f := p.request.Load(); f != nil && (*f)() == cut {
			return
		}
		if p.silent(number) {
			continue
		}
		if _, err := server.Write(packet[:n]); err != nil {
			return
		}
	}
}

// reply passes on one message of the server.
func (p *proxy) reply(number int, client io.Writer, server io.Reader) bool {
	head := make([]byte, 5) // type, and length without the type
	if _, err := io.ReadFull(server, head); err != nil {
		return false
	}
	body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
	if _, err := io.ReadFull(server, body); err != nil {
		return false
	}
	if f := p.answer.Load(); f != nil {
		switch (*f)(head[0], string(body)) {
		case drop:
			return true
		case cut:
			return false
		case pass:
		}
	}
	if p.silent(number) {
		return true
	}
	_, err := (&net.Buffers{head, body}).WriteTo(client)
	return err == nil
}

// losesAnswer cuts the connection off with the next answer of that text, such as that to a COMMIT, after what is done then.
func (p *proxy) losesAnswer(text string, then func()) {
	var once sync.Once
	p.answer.Store(new(func(kind byte, body string) (f fate) {
		if kind == 'C' && body == text+"\x00" {
			once.Do(func() { f = cut; then() })
		}
		return f
	}))
}

// swallowsAnswer has all connections fall silent with the next answer of that text.
func (p *proxy) swallowsAnswer(text string) {
	var once sync.Once
	p.answer.Store(new(func(kind byte, body string) fate {
		if kind == 'C' && body == text+"\x00" {
			once.Do(func() { p.fallsSilent(false) })
		}
		return pass
	}))
}

// losesRequest cuts the connection off with the next thing that is sent.
func (p *proxy) losesRequest() {
	var once sync.Once
	p.request.Store(new(func() (f fate) {
		once.Do(func() { f = cut })
		return f
	}))
}

// isDeaf drops all notifications, as a pooler does that gives a connection of the server for one transaction only.
func (p *proxy) isDeaf() {
	p.answer.Store(new(func(kind byte, _ string) fate {
		if kind == 'A' {
			return drop
		}
		return pass
	}))
}
