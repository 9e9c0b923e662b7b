package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
)

// CallKind is where a call comes from.
type CallKind string

const (
	// CallEvent is an event of a page.
	CallEvent CallKind = "event"
	// CallLoad is an event that runs when a page is loaded.
	CallLoad CallKind = "load"
	// CallTrigger is an event that a section asked for.
	CallTrigger CallKind = "trigger"
	// CallSection is a section of a task.
	CallSection CallKind = "section"
	// CallStep is a section that an activity of a task runs.
	CallStep CallKind = "step"
	// CallOther is any other Go code.
	CallOther CallKind = "other"
)

// Call is one call of an event or section.
type Call struct {
	// Handler is the event or section; it belongs to the session's app.
	Handler *holdfast.Handler
	Session holdfast.SessionID
	// Input is the function's input as JSON, or nil.
	Input json.RawMessage
	// Key makes the call exactly-once over all its repetitions. The zero Key: each call is applied.
	Key Key
	// Task is the task whose section it is, and Run its run by Temporal's id; empty for an event. What a run that has ended asks for
	// is refused with [holdfast.ErrTaskEnded].
	Task holdfast.TaskID
	Run  string
	// Final is a section that runs because the task ends. Once its run has made such a call, others of that run are refused.
	Final bool
	// Relist says that Run is known to be open, although the session does not know it. It becomes the task's current one, and
	// the task is listed again.
	Relist bool
	// Epoch is the life of the session that an event of a page is meant for; empty: any.
	Epoch string
	// Finally are the names of the Finally sections that the task has registered so far, in that order.
	Finally []string
	// Settles is the id of a row of the outbox that is done with this call; empty for none.
	Settles string
	// Kind is where the call comes from, for metrics and traces. Defaults to CallSection with a Task, to CallOther without.
	Kind CallKind
}

func (c *Call) kind() CallKind {
	switch {
	case c.Kind != "":
		return c.Kind
	case c.Task != "":
		return CallSection
	default:
		return CallOther
	}
}

func (c *Call) check() error {
	if c.Handler == nil {
		return errors.New("apply: the call has no handler")
	}
	err := c.checkKey()
	if err == nil {
		err = checkSession(c.Handler.App(), c.Session)
	}
	if err != nil {
		return fmt.Errorf("apply %s: %w", c.Handler.Type(), err)
	}
	if c.Kind == CallEvent { // a page's; all else is what programs of ours wrote, perhaps of another version
		return c.Handler.CheckPageInput(c.Input)
	}
	return c.Handler.CheckInput(c.Input)
}

// checkKey refuses names that cannot be looked for, and a key of someone else.
func (c *Call) checkKey() error {
	if err := checkNames(c.Session, c.Key); err != nil {
		return err
	}
	if err := checkText("the run", string(c.Task)+" "+c.Run); err != nil {
		return fmt.Errorf("%w: %w", holdfast.ErrBadArgument, err)
	}
	if c.Task != "" && c.Key.Owner != "" && c.Key.Owner != string(c.Task) {
		return fmt.Errorf("%w: the key of a call of task %s is owned by %s", holdfast.ErrBadArgument, c.Task, c.Key.Owner)
	}
	return nil
}

// observed is a call that is being measured and traced.
type observed struct {
	service *Service
	call    *Call
	span    trace.Span
	locked  time.Time // zero: it did not get the lock
	outcome string    // unless it ends with an error
}

// observe begins the span of a call; end must follow.
func (s *Service) observe(ctx context.Context, call *Call) (context.Context, *observed) {
	o := &observed{service: s, call: call, outcome: outcomeUnchanged}
	if !s.tracer.On() {
		return ctx, o
	}
	ctx, o.span = s.tracer.Start(ctx, "section "+call.Handler.Type(), trace.SpanKindInternal,
		attribute.String("holdfast.app", call.Session.App()), attribute.String("holdfast.section", call.Handler.Name()),
		attribute.String("holdfast.session", string(call.Session)), attribute.String("holdfast.kind", string(call.kind())),
	)
	if call.Task != "" {
		o.span.SetAttributes(attribute.String("holdfast.task", string(call.Task)))
	}
	return ctx, o
}

// lock notes that the call has its session.
func (o *observed) lock() {
	o.locked = time.Now()
	if o.span != nil {
		o.span.AddEvent("locked")
	}
}

// end measures what the call came to. One that never had the lock counts as no section.
func (o *observed) end(ctx context.Context, applied Applied, err error) {
	if err != nil {
		o.outcome = outcomeOf(err)
	}
	if !o.locked.IsZero() {
		o.service.metrics.applied(ctx, o.call, o.outcome, o.locked)
	}
	if o.span == nil {
		return
	}
	o.span.SetAttributes(attribute.String("holdfast.outcome", o.outcome), attribute.Int64("holdfast.revision", applied.Revision))
	telemetry.Fail(o.span, err)
	o.span.End()
}
