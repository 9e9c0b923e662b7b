package starter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
	"github.com/holdfast-run/holdfast/state"
)

// overruns is how often a triggered event may miss its deadline before that counts as its own
// fault, as for a section of a task: a machine that stood still looks like an overrun once.
const overruns = 3

// trigger runs one event that a section asked for, exactly once.
func (r *relay) trigger(ctx context.Context, row state.Pending) (result, error) {
	app := r.starter.apps[row.App]
	handler, err := app.Event(row.Name)
	if err != nil {
		return r.retry(ctx, row, fmt.Errorf("trigger event %s: %w: %w", row.Name, errNewer, err))
	}
	ctx, span := r.starter.traceRow(ctx, row)
	defer span.End()
	_, err = r.starter.opts.State.Apply(ctx, state.Call{
		Handler: handler, Session: row.Session, Input: row.Argument, Settles: row.ID, Kind: state.CallTrigger,
	})
	telemetry.Fail(span, err)
	if errors.Is(err, holdfast.ErrOverrun) && r.backoffs.overrun(row.ID) < overruns {
		return r.retry(ctx, row, err)
	}
	if refused := refusal(handler.Name(), err); refused != nil {
		r.starter.reportEvent(ctx, app, row.Session, handler.Name(), err)
		return resultDone, r.starter.opts.State.EventFailed(ctx, row, refused.Message)
	}
	return resultDone, err
}

// reportEvent tells the log and the app of an event that failed in a way that is its author's to mend.
func (s *Starter) reportEvent(ctx context.Context, app *holdfast.App, session holdfast.SessionID, name string, err error) {
	failure := holdfast.Failure{Session: session, Name: name, Message: err.Error()}
	var panicked *holdfast.PanicError
	switch {
	case errors.As(err, &panicked):
		failure.Kind, failure.Stack = "Panic", panicked.Stack
	case errors.Is(err, holdfast.ErrOverrun):
		failure.Kind = "Overrun"
	default:
		return // it refused, which is an answer
	}
	s.log.ErrorContext(ctx, "an event failed", "app", app.Name(), "session", session, "event", name, "err", err, "stack", failure.Stack)
	app.ReportFailure(ctx, failure)
}

// refusal is what the client is told of an error that would only repeat; nil for one that may pass.
func refusal(event string, err error) *ackError {
	var panicked *holdfast.PanicError
	var section *holdfast.SectionError
	switch {
	case errors.As(err, &panicked):
		return &ackError{Code: codeFailed, Message: event + " failed"}
	case errors.Is(err, holdfast.ErrOverrun):
		return &ackError{Code: codeFailed, Message: event + " took too long"}
	case errors.As(err, &section):
		return &ackError{Code: codeRejected, Message: section.Err.Error()}
	case errors.Is(err, holdfast.ErrBadArgument):
		return &ackError{Code: codeBadArgument, Message: err.Error()}
	case errors.Is(err, state.ErrForgotten):
		return &ackError{Code: codeForgotten, Message: state.ErrForgotten.Error()}
	case errors.Is(err, state.ErrOtherEpoch):
		return &ackError{Code: codeOtherEpoch, Message: state.ErrOtherEpoch.Error()}
	default:
		return nil
	}
}

func reasonOf(row state.Pending) (reason string) {
	_ = json.Unmarshal(row.Argument, &reason) // written by us; without it there is no reason to show
	return reason
}
