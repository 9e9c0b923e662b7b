package starter

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// refuse is the page's answer to a call's error that would only repeat; nil for one
// that may pass. What is not for people goes to the log and to the app, under an id that
// the page shows.
func (s *Starter) refuse(ctx context.Context, call state.Call, err error) *ackError {
	name := call.Handler.Name()
	failure := holdfast.Failure{Session: call.Session, Task: call.Task, Name: name}
	verb := "failed"
	var panicked *holdfast.PanicError
	var section *holdfast.SectionError
	var rejected *holdfast.Rejection
	switch {
	case errors.As(err, &panicked):
		failure.Kind, failure.Stack = wire.ErrorPanic, panicked.Stack
	case errors.Is(err, holdfast.ErrOverrun):
		failure.Kind, verb = wire.ErrorOverrun, "took too long"
	case errors.As(err, &rejected):
		return refused(codeRejected, rejected.Error())
	case errors.As(err, &section):
		failure.Kind = wire.ErrorSection
	case errors.Is(err, holdfast.ErrBadArgument) && call.Kind == state.CallEvent: // the page's own
		return refused(codeBadArgument, err.Error())
	case errors.Is(err, holdfast.ErrBadArgument):
		failure.Kind = wire.ErrorBadArgument
	case errors.Is(err, state.ErrForgotten):
		return refused(codeForgotten, state.ErrForgotten.Error())
	case errors.Is(err, state.ErrOtherEpoch):
		return refused(codeOtherEpoch, state.ErrOtherEpoch.Error())
	default:
		return nil
	}
	failure.ID, failure.Message = failureID(), err.Error()
	s.log.ErrorContext(ctx, "an event failed", "id", failure.ID, "app", call.Handler.App().Name(), "session", call.Session, "event", name,
		"err", err, "stack", failure.Stack)
	call.Handler.App().ReportFailure(ctx, failure)
	return refused(codeFailed, fmt.Sprintf("%s %s (%s)", name, verb, failure.ID))
}

// failureID is a new id by which a person finds in the log what a page was not told.
func failureID() string {
	const length = 8
	return strings.ToLower(rand.Text()[:length])
}
