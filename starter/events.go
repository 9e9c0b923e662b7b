package starter

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// keepEvents is how many events of one page load the ledger keeps: twice what may be sent again.
const keepEvents = 2 * maxWaiting

// The codes of refused events; docs/protocol.md says what they mean.
const (
	codeUnknownEvent = "unknown_event"
	codeBadArgument  = "bad_argument"
	codeRejected     = "rejected"
	codeFailed       = "failed"
)

// apply runs the client's events one after the other and acknowledges each.
func (c *connection) apply(events <-chan *eventMessage) error {
	for {
		select {
		case <-c.ctx.Done():
			return c.ctx.Err()
		case event := <-events:
			ack, err := c.applyOne(event)
			if err != nil {
				return err
			}
			if err := c.write(ack); err != nil {
				return err
			}
		}
	}
}

// applyOne runs one event, exactly once for its id, and retries faults of the machinery for as long as the client is
// there. If it goes away in the middle it sends the event again when it is back. The error is the end of the connection.
func (c *connection) applyOne(event *eventMessage) (ackMessage, error) {
	ack := ackMessage{Type: "ack", ID: event.ID}
	handler, err := c.app.Event(event.Name)
	if err != nil {
		ack.Error = &ackError{Code: codeUnknownEvent, Message: err.Error()}
		return ack, nil //nolint:nilerr // the client is told; the connection goes on
	}
	if err := handler.CheckInput(event.Arg); err != nil {
		ack.Error = &ackError{Code: codeBadArgument, Message: err.Error()}
		return ack, nil //nolint:nilerr // as above
	}
	call := state.Call{Handler: handler, Session: c.session, Input: event.Arg, Key: state.Key{
		Owner:    "page-" + c.client,
		Position: strconv.FormatInt(event.ID, 10),
		Keep:     keepEvents,
	}}
	const first, most = 100 * time.Millisecond, 5 * time.Second
	for pause := first; ; pause = min(2*pause, most) {
		applied, err := c.starter.opts.State.Apply(c.ctx, call)
		if err == nil {
			ack.Revision = applied.Revision
			return ack, nil
		}
		if ack.Error = c.refusal(event, err); ack.Error != nil {
			return ack, nil
		}
		if c.ctx.Err() == nil {
			c.log.Warn("an event could not be applied; trying again", "event", event.Name, "err", err)
		}
		if !wait(c.ctx, pause) {
			return ack, context.Cause(c.ctx)
		}
	}
}

// refusal is what the client is told of an error that would only repeat; nil for one that may pass.
func (c *connection) refusal(event *eventMessage, err error) *ackError {
	var panicked *holdfast.PanicError
	var section *holdfast.SectionError
	switch {
	case errors.As(err, &panicked):
		c.log.Error("an event panicked", "event", event.Name, "err", err, "stack", panicked.Stack)
		return &ackError{Code: codeFailed, Message: event.Name + " failed"}
	case errors.Is(err, holdfast.ErrOverrun):
		c.log.Error("an event ran past its deadline", "event", event.Name, "err", err)
		return &ackError{Code: codeFailed, Message: event.Name + " took too long"}
	case errors.As(err, &section):
		return &ackError{Code: codeRejected, Message: section.Err.Error()}
	default:
		return nil
	}
}
