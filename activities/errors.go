package activities

import (
	"errors"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// overruns is how often a section may miss its deadline before that ends its task. A slow moment of what it calls passes; a
// section that hangs does so every time.
const overruns = 3

// report gives an error the form in which Temporal treats it rightly: what would only repeat is not retried and ends the
// task, unless the task deals with it; everything else is a fault that may pass and is retried.
func report(err error, attempt int32) error {
	var panicked *holdfast.PanicError
	var own *temporal.ApplicationError
	var section *holdfast.SectionError
	var rejected *holdfast.Rejection
	switch {
	case errors.As(err, &panicked):
		return final(panicked, wire.ErrorPanic, wire.Bound(panicked.Stack, wire.MaxStack))
	case errors.Is(err, holdfast.ErrNestedSection): // also when a section hands it on as its own
		return final(err, wire.ErrorNested)
	case errors.As(err, &section) && errors.As(section.Err, &own): // the author chose a type
		return final(section, own.Type())
	case errors.As(err, &rejected):
		return reject(rejected)
	case section != nil:
		return final(section, wire.ErrorSection)
	case errors.Is(err, holdfast.ErrBadArgument):
		return final(err, wire.ErrorBadArgument)
	case errors.Is(err, holdfast.ErrTaskEnded):
		return final(err, wire.ErrorTaskEnded)
	case errors.Is(err, state.ErrForgotten):
		return final(err, wire.ErrorForgotten)
	case errors.Is(err, holdfast.ErrOverrun) && attempt >= overruns:
		return final(err, wire.ErrorOverrun)
	default:
		return err
	}
}

// The waits between the attempts of a call: from the first, doubled, up to the last.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 10 * time.Second
)

// spread gives a fault that is retried a random wait of its own. The policies of Temporal have none: after an outage of the
// store, the calls of all tasks that had run into it would come back in step.
func spread(err error, attempt int32) error {
	var decided *temporal.ApplicationError
	if err == nil || errors.As(err, &decided) {
		return err
	}
	wait := min(lastWait, firstWait<<min(max(attempt, 1)-1, 10))
	options := temporal.ApplicationErrorOptions{NextRetryDelay: wait/2 + rand.N(wait/2)}
	if cause := errors.Unwrap(err); cause != nil && short(cause) {
		options.Cause = cause
	}
	return temporal.NewApplicationErrorWithOptions(wire.Bound(err.Error(), wire.MaxFailure), wire.ErrorFault, options)
}

// final is an error that ends the task. What it wraps goes with it, unless that is too
// much for Temporal.
func final(err error, kind string, details ...any) error {
	options := temporal.ApplicationErrorOptions{NonRetryable: true, Details: details}
	if cause := errors.Unwrap(err); cause != nil && short(cause) {
		options.Cause = cause
	}
	var rejected *holdfast.Rejection
	if kind != wire.ErrorPanic && errors.As(err, &rejected) { // of an author who chose a type for it
		options.Cause = reject(rejected)
	}
	return temporal.NewApplicationErrorWithOptions(wire.Bound(err.Error(), wire.MaxFailure), kind, options)
}

// reject is a rejection in the form in which package workflows knows it: with its
// sentence alone.
func reject(rejected *holdfast.Rejection) error {
	return temporal.NewNonRetryableApplicationError(rejected.Error(), wire.ErrorRejected, nil)
}

// short reports an error of which the whole chain, as Temporal gets it, is within bounds.
func short(err error) bool {
	const most = 16 * wire.MaxFailure
	return temporal.GetDefaultFailureConverter().ErrorToFailure(err).Size() <= most
}
