package starter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// touchInterval is how often an open connection keeps its session from expiring.
const touchInterval = time.Minute

// connection is one web socket of one session. Its loops run side by side; the first to end ends them all.
type connection struct {
	starter *Starter
	app     *holdfast.App
	conn    *websocket.Conn
	in      *intake // what conn reads from
	log     *slog.Logger
	session holdfast.SessionID
	token   string
	page    state.PageLoad  // what the client says of itself
	after   *state.Position // up to where the client has the state
	epoch   string          // the session's life; known once the page is let in
	joined  chan struct{}   // closed when the page is let in and welcome

	ctx context.Context // ends with the connection; its cause is what ended it
	end context.CancelCauseFunc

	refused atomic.Bool // it ended by the client's fault

	reading context.Context // of all reads; its end cuts the socket without a close frame
	cut     context.CancelFunc
}

var errGoingAway = &fault{code: websocket.StatusGoingAway, reason: "the server shuts down"}

// run serves the connection until it ends.
func (c *connection) run() {
	c.starter.metrics.connected(c.ctx, c.app, 1)
	defer c.starter.metrics.connected(c.ctx, c.app, -1)
	events := make(chan *eventMessage, maxWaiting)
	c.joined = make(chan struct{})
	var loops sync.WaitGroup
	for _, loop := range []func() error{
		func() error { return c.read(events) },
		func() error { return c.apply(events) },
		c.follow,
		c.ping,
		c.touch,
	} {
		loops.Go(func() { c.end(loop()) })
	}
	leave := c.starter.presence.arrive(c.session, c.end)
	<-c.ctx.Done()
	leave()
	cause := context.Cause(c.ctx)
	if c.starter.ctx.Err() != nil {
		cause = errGoingAway
	}
	c.hangUp(cause) // ends the read, which has no other end
	loops.Wait()
}

// read takes the client's messages. It waits for nothing else, or pongs would go unheard, but for others' big frames before one of
// its own.
func (c *connection) read(events chan<- *eventMessage) error {
	for {
		kind, frame, err := c.receive()
		if err != nil {
			return err
		}
		event, err := c.parseEvent(kind, frame)
		if err != nil {
			return err
		}
		select {
		case events <- event:
		default:
			return &fault{code: closeTooManyEvents, reason: fmt.Sprintf("more than %d events wait for their acknowledgement", maxWaiting)}
		}
	}
}

// receive waits for the next message.
func (c *connection) receive() (websocket.MessageType, []byte, error) {
	kind, frame, err := c.conn.Read(c.reading)
	switch {
	case err == nil:
		return kind, frame, nil
	case errors.Is(err, errTooLong):
		return 0, nil, &fault{code: websocket.StatusMessageTooBig, reason: fmt.Sprintf("a message is longer than %d bytes", c.in.limit.Load())}
	default:
		return 0, nil, fmt.Errorf("read: %w", err)
	}
}

func (c *connection) parseEvent(kind websocket.MessageType, frame []byte) (*eventMessage, error) {
	leave, err := c.starter.big.enter(c.ctx, len(frame))
	if err != nil {
		return nil, err
	}
	defer leave()
	return parseEvent(kind, frame)
}

// follow sends the session's changes as they are committed. It pulls them, so a slow client holds up only itself.
func (c *connection) follow() error {
	select { // from then on the session is there
	case <-c.joined:
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
	reader := c.starter.opts.State.Follow(c.app, c.session, c.after)
	defer reader.Close()
	open := time.Now()
	for {
		update, err := reader.Next(c.ctx)
		if err != nil {
			return err
		}
		c.starter.presence.listed(c.session, update)
		if update.Change == nil {
			err = c.write(outgoing(update))
		} else {
			err = c.deliver(update, open)
		}
		if err != nil {
			return err
		}
	}
}

// deliver sends a change.
func (c *connection) deliver(update state.Update, open time.Time) error {
	ctx, span := c.traceDelta(update.Change)
	defer span.End()
	err := c.write(outgoing(update))
	telemetry.Fail(span, err)
	if err == nil {
		c.starter.metrics.delivered(ctx, c.app, update.Change, open)
	}
	return err
}

// ping finds out a peer that has gone without a word.
func (c *connection) ping() error {
	for wait(c.ctx, c.starter.opts.PingInterval) {
		ctx, cancel := context.WithTimeout(c.ctx, c.starter.opts.PingTimeout)
		began := time.Now()
		err := c.conn.Ping(ctx)
		cancel()
		if err != nil && !c.in.alive(began) { // its answer may stand behind much else
			return &fault{code: closeTooSlow, reason: fmt.Sprintf("no answer to a ping within %s", c.starter.opts.PingTimeout)}
		}
	}
	return c.ctx.Err()
}

// touch keeps the session from expiring while someone looks at it.
func (c *connection) touch() error {
	for {
		if err := c.starter.opts.State.Touch(c.ctx, c.session, state.PageKey(c.page.Client, 0).Owner); err != nil && c.ctx.Err() == nil {
			c.log.WarnContext(c.ctx, "keeping the session from expiring failed; trying again", "err", err)
		}
		if !wait(c.ctx, touchInterval) {
			return c.ctx.Err()
		}
	}
}

// write sends one message; a client that does not take it in time is cut. Safe for concurrent use.
func (c *connection) write(message any) error {
	return c.writeWithin(message, c.starter.opts.WriteTimeout)
}

func (c *connection) writeWithin(message any, limit time.Duration) error {
	frame, err := encode(message)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), limit)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		if ctx.Err() != nil {
			return &fault{code: closeTooSlow, reason: fmt.Sprintf("a message was not taken within %s", limit)}
		}
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// farewellTimeout is how long a peer may take for what ends its connection: once for the error message, once for the close.
const farewellTimeout = time.Second

// hangUp closes the socket with the code that fits the error. It returns within twice farewellTimeout.
func (c *connection) hangUp(err error) {
	var f *fault
	if !errors.As(err, &f) {
		f = c.faultOf(err)
	}
	name, ok := closeNames[f.code]
	if ok || f.code == websocket.StatusMessageTooBig {
		c.refused.Store(true)
	}
	if ok {
		_ = c.writeWithin(errorMessage{Type: "error", Code: name, Message: wire.Bound(f.reason, maxAnswer)}, farewellTimeout) // the close code says it too
	}
	c.in.drain() // or what it sends would be read byte by byte until it answers
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = c.conn.Close(f.code, wire.Bound(f.reason, maxReason)) // waits for the peer's answer, for up to 5 s
	}()
	timer := time.NewTimer(farewellTimeout)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C: // the peer is gone, or does not read
		c.cut()
	}
}

// faultOf sorts the errors that are not the client's fault.
func (c *connection) faultOf(err error) *fault {
	switch {
	case c.starter.ctx.Err() != nil:
		return errGoingAway
	case err == nil, websocket.CloseStatus(err) != -1, errors.Is(err, context.Canceled):
		return &fault{code: websocket.StatusNormalClosure}
	case isNetwork(err):
		c.log.DebugContext(c.ctx, "the connection broke", "err", err)
		return &fault{code: websocket.StatusNormalClosure}
	default:
		c.log.ErrorContext(c.ctx, "the connection had to be ended", "err", err)
		return &fault{code: closeInternal, reason: "internal error; see the server's log"}
	}
}

// wait reports whether the pause passed before ctx ended.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
