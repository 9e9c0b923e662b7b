package starter

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// The codes of refused events; docs/protocol.md says what they mean.
const (
	codeUnknownEvent = "unknown_event"
	codeBadArgument  = "bad_argument"
	codeRejected     = "rejected"
	codeFailed       = "failed"
	codeForgotten    = "forgotten"
	codeOtherEpoch   = "other_epoch"
)

// apply runs the client's events one after the other and acknowledges each.
func (c *connection) apply(events <-chan *eventMessage) error {
	if err := c.load(); err != nil {
		return err
	}
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
			if pause := c.starter.costs.charge(c.session, ack.cost()); pause > 0 {
				c.starter.metrics.paced(c.app, pacedEvent)
				wait(c.ctx, pause)
			}
		}
	}
}

// applyOne runs one event, exactly once for its id. The error is the end of the connection.
func (c *connection) applyOne(event *eventMessage) (ackMessage, error) {
	leave, err := c.starter.big.enter(c.ctx, len(event.Arg)+len(event.Name))
	if err != nil {
		return ackMessage{}, err
	}
	defer leave()
	ack := ackMessage{Type: "ack", ID: event.ID}
	if event.Name == cancelEvent {
		return c.cancel(event, ack)
	}
	handler, err := c.app.Event(event.Name)
	if err != nil {
		ack.Error = refused(codeUnknownEvent, fmt.Sprintf("app %s has no event %s", c.app.Name(), quoted(event.Name)))
		return ack, nil //nolint:nilerr // the acknowledgement has it; the connection goes on
	}
	ctx, span := c.traceEvent(state.CallEvent, handler, event.parent())
	defer span.End()
	applied, refused, err := c.persist(ctx, state.Call{
		Handler: handler, Session: c.session, Input: event.Arg, Kind: state.CallEvent,
		Key: state.PageKey(c.page.Client, event.ID), Epoch: event.Epoch,
	})
	ack.Revision, ack.Error, ack.asked = applied.Revision, refused, applied.Requests
	return ack, err
}

// load lets the page in and runs what is to run once for each load of it: the ledger knows the client's name.
func (c *connection) load() error {
	if err := c.join(); err != nil {
		return err
	}
	events := c.app.LoadEvents()
	for _, handler := range events {
		if err := c.loadOne(handler); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		return nil
	}
	return c.write(loadedMessage{Type: "loaded"})
}

// join lets the page in and welcomes it; before that its events are refused.
func (c *connection) join() error {
	for {
		epoch, err := c.starter.opts.State.Join(c.ctx, c.app, c.session, c.page)
		if err == nil {
			c.epoch = epoch
			defer close(c.joined) // after the welcome, which comes first
			return c.write(welcomeMessage{
				Type: "welcome", App: c.app.Name(), Session: string(c.session), Token: c.token, Epoch: epoch, Workflows: c.starter.opts.WorkflowsURL,
			})
		}
		if c.ctx.Err() == nil {
			c.log.WarnContext(c.ctx, "a page could not be let in; trying again", "err", err)
		}
		if !wait(c.ctx, time.Second) {
			return context.Cause(c.ctx)
		}
	}
}

func (c *connection) loadOne(handler *holdfast.Handler) error {
	ctx, span := c.traceEvent(state.CallLoad, handler, "")
	defer span.End()
	_, answer, err := c.persist(ctx, state.Call{
		Handler: handler, Session: c.session, Kind: state.CallLoad,
		Key: state.LoadKey(c.page.Client, handler.Name()),
	})
	if answer != nil {
		c.log.WarnContext(ctx, "an event was refused on load", "event", handler.Name(), "code", answer.Code, "err", answer.Message)
	}
	return err
}

// refused is the answer to an event that changed nothing.
func refused(code, message string) *ackError {
	return &ackError{Code: code, Message: wire.Bound(message, maxAnswer)}
}

// persist applies a call and retries faults of the machinery for as long as the client is there. If it goes away in the middle
// it sends the event again when it is back.
func (c *connection) persist(ctx context.Context, call state.Call) (applied state.Applied, answer *ackError, err error) {
	const first, most = 100 * time.Millisecond, 5 * time.Second
	for pause := first; ; pause = min(2*pause, most) {
		applied, err := c.starter.opts.State.Apply(ctx, call)
		if err == nil {
			return applied, nil, nil
		}
		if answer := c.starter.refuse(ctx, call, err); answer != nil {
			return state.Applied{}, answer, nil
		}
		if ctx.Err() == nil {
			c.log.WarnContext(ctx, "an event could not be applied; trying again", "event", call.Handler.Name(), "err", err)
		}
		if !wait(ctx, pause) {
			return state.Applied{}, nil, context.Cause(ctx)
		}
	}
}
