package faults_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// page is a client of the protocol, written from docs/protocol.md alone. It connects again whenever
// its connection ends, at the next of its addresses, and sends again what was not acknowledged.
// What the protocol forbids it notes in wrong.
type page struct {
	t      testing.TB
	client string

	mu        sync.Mutex // protects what follows
	changed   chan struct{}
	addresses []string
	at        int             // the address that it is at
	conn      *websocket.Conn // nil: none
	heard     time.Time       // when there was a frame or a ping
	away      bool            // it is not to connect
	next      func()          // ends the connection

	view
	events
	wrong []string
}

// open opens a page of a new session at the first of the addresses, and returns when it has its state.
func open(t testing.TB, client string, addresses ...string) *page {
	t.Helper()
	return openWith(t, client, "", addresses...)
}

// beside opens another page of the same session.
func (p *page) beside(client string, addresses ...string) *page {
	p.t.Helper()
	p.mu.Lock()
	token := p.token
	p.mu.Unlock()
	return openWith(p.t, client, token, addresses...)
}

func openWith(t testing.TB, client, token string, addresses ...string) *page {
	t.Helper()
	p := &page{t: t, client: client, addresses: addresses, changed: make(chan struct{})}
	p.token = token
	var stays sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(func() {
		stop()
		stays.Wait()
	})
	stays.Go(func() { p.stay(ctx) })
	p.until("has a snapshot", func() bool { return p.known })
	return p
}

// stay keeps the page connected.
func (p *page) stay(ctx context.Context) {
	const pause = 200 * time.Millisecond
	for ctx.Err() == nil {
		p.mu.Lock()
		away, changed := p.away, p.changed
		p.mu.Unlock()
		if away {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		if err := p.visit(ctx); err != nil {
			p.change(func() { p.at++ })
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
}

// errMoved ends a connection that the test ends.
var errMoved = errors.New("moved")

// visit is one connection. It returns an error unless the test ended it.
func (p *page) visit(ctx context.Context) error {
	const patience = 10 * time.Second
	dialing, dialed := context.WithTimeout(ctx, patience)
	defer dialed()
	p.mu.Lock()
	address := p.addresses[p.at%len(p.addresses)]
	p.mu.Unlock()
	conn, _, err := websocket.Dial(dialing, "ws://"+address+"/exact/socket", &websocket.DialOptions{ //nolint:bodyclose // the socket has it
		Subprotocols:   []string{"holdfast.v1"},
		OnPingReceived: func(context.Context, []byte) bool { p.change(func() { p.heard = time.Now() }); return true },
	})
	if err != nil {
		return err
	}
	conn.SetReadLimit(-1)
	context.AfterFunc(ctx, func() { _ = conn.CloseNow() }) // also one that was left open
	visit, end := context.WithCancelCause(ctx)
	defer end(nil)
	p.change(func() { p.conn, p.heard, p.welcome, p.next = conn, time.Now(), false, func() { end(errMoved) } })
	go func() { end(p.write(visit, conn)) }()
	go func() { end(p.read(ctx, conn)) }()
	go func() { end(p.listen(visit)) }()
	<-visit.Done()
	left := errors.Is(context.Cause(visit), errMoved)
	p.change(func() { p.conn = nil })
	if left {
		return nil
	}
	_ = conn.CloseNow()
	return context.Cause(visit)
}

// read takes frames for as long as the page is at this connection.
func (p *page) read(ctx context.Context, conn *websocket.Conn) error {
	for {
		var f frame
		if err := wsjson.Read(ctx, conn, &f); err != nil {
			p.change(func() { p.checkEnd(conn, err) })
			return err
		}
		here := false
		p.change(func() {
			if here = p.conn == conn; here {
				p.heard = time.Now()
				p.take(&f)
			}
		})
		if !here {
			return nil // it stays open, unread
		}
	}
}

// write says hello, and sends what waits, in order, as it comes.
func (p *page) write(ctx context.Context, conn *websocket.Conn) error {
	p.mu.Lock()
	hello := p.hello()
	p.mu.Unlock()
	if err := wsjson.Write(context.WithoutCancel(ctx), conn, hello); err != nil {
		return err
	}
	for last := int64(0); ; {
		p.mu.Lock()
		due, changed := p.after(last), p.changed
		p.mu.Unlock()
		for _, e := range due {
			last = e.ID
			if err := wsjson.Write(context.WithoutCancel(ctx), conn, e); err != nil {
				return err
			}
			p.change(func() { p.written = max(p.written, last) })
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// listen ends when not even a ping was heard for two intervals of pings.
func (p *page) listen(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.mu.Lock()
			silent := time.Since(p.heard)
			p.mu.Unlock()
			if silent > 2*pingInterval+time.Second {
				return errors.New("nothing was heard")
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change changes what the page knows, and has those look again that wait for it.
func (p *page) change(what func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what()
	close(p.changed)
	p.changed = make(chan struct{})
}

// leave goes to another of the addresses. The connection that it had stays open, as far as its
// starter knows, but is not read any more.
func (p *page) leave(at int) {
	p.change(func() {
		p.at = at
		if p.conn != nil {
			p.conn = nil
			p.next()
		}
	})
}

// close closes the connection and stays away until back is called.
func (p *page) close() {
	p.change(func() {
		p.away = true
		if p.conn != nil {
			_ = p.conn.CloseNow()
			p.conn = nil
			p.next()
		}
	})
}

// back connects again after close.
func (p *page) back() { p.change(func() { p.away = false }) }

// until waits until the condition holds, which is called with mu held.
func (p *page) until(what string, condition func() bool) {
	p.t.Helper()
	const patience = 5 * time.Minute // other packages are tested at the same time
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		p.mu.Lock()
		holds, changed := condition(), p.changed
		p.mu.Unlock()
		if holds {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			p.mu.Lock()
			report := p.report()
			p.mu.Unlock()
			p.t.Fatalf("page %s: not within %s: it %s\n%s", p.client, patience, what, report)
		}
	}
}
