package starter

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/holdfast-run/holdfast"
)

// helloTimeout is how long a client may take for its first message.
const helloTimeout = 10 * time.Second

// socket is the handler of an app's web socket.
func (s *Starter) socket(app *holdfast.App) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if refused := s.checkHandshake(r); refused != nil {
			http.Error(w, refused.reason, refused.status)
			return
		}
		address := addressOf(r.RemoteAddr)
		if pause := s.patience.pause(address); pause > 0 {
			s.metrics.paced(app, pacedHandshake)
			if !wait(r.Context(), pause) {
				return
			}
		}
		if !s.enter() {
			http.Error(w, "shutting down", http.StatusServiceUnavailable)
			return
		}
		defer s.running.Done()
		if s.presence.refuses() {
			w.Header().Set("Retry-After", "1")
			http.Error(w, errStoreAway.reason, http.StatusServiceUnavailable)
			return
		}
		in := newIntake(func() { s.metrics.paced(app, pacedReading) })
		conn, err := websocket.Accept(hijacker{w, in}, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, OriginPatterns: s.opts.Origins})
		if err != nil {
			s.log.DebugContext(r.Context(), "web socket refused", "app", app.Name(), "err", err) // Accept has answered
			return
		}
		conn.SetReadLimit(maxFrame) // which the intake keeps by itself, sooner
		if s.serve(conn, in, app) {
			s.patience.note(address)
		} //nolint:contextcheck // a connection outlives the request that it came with
	}
}

// serve greets the client and runs the connection until it ends. It reports whether that was the client's fault.
func (s *Starter) serve(conn *websocket.Conn, in *intake, app *holdfast.App) (refused bool) {
	c := &connection{starter: s, app: app, conn: conn, in: in, log: s.log.With("app", app.Name())}
	c.ctx, c.end = context.WithCancelCause(s.ctx)
	defer c.end(nil)
	c.reading, c.cut = context.WithCancel(context.Background())
	defer c.cut()
	if err := c.greet(); err != nil {
		c.hangUp(err)
	} else {
		c.run()
	}
	return c.refused.Load()
}

// greet reads the hello. The welcome follows once the store has let the page in.
func (c *connection) greet() error {
	late := time.AfterFunc(helloTimeout, func() { c.hangUp(badMessage("no hello within %s", helloTimeout)) })
	defer late.Stop()
	leaving := context.AfterFunc(c.starter.ctx, func() { c.hangUp(errGoingAway) })
	defer leaving()
	kind, frame, err := c.receive()
	if err != nil {
		return err
	}
	leave, err := c.starter.big.enter(c.ctx, len(frame))
	if err != nil {
		return err
	}
	hello, err := parseHello(kind, frame)
	leave()
	if err != nil {
		return err
	}
	if c.token = hello.Token; hello.New {
		c.token = c.starter.tokens.mint(c.app.Name())
	}
	if c.session, err = c.starter.tokens.session(c.app.Name(), c.token); err != nil {
		return &fault{code: closeBadToken, reason: err.Error()}
	}
	c.in.limit.Store(maxFrame)
	c.page, c.after = hello.page(), hello.position()
	c.log = c.log.With("session", c.session)
	return nil
}
