package activities

import (
	"errors"

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
	switch {
	case errors.As(err, &panicked):
		return final(panicked, wire.ErrorPanic, panicked.Stack)
	case errors.Is(err, holdfast.ErrNestedSection): // also when a section hands it on as its own
		return final(err, wire.ErrorNested)
	case errors.As(err, &section) && errors.As(section.Err, &own): // the author chose a type
		return final(section, own.Type())
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

func final(err error, kind string, details ...any) error {
	return temporal.NewApplicationErrorWithOptions(err.Error(), kind, temporal.ApplicationErrorOptions{
		NonRetryable: true,
		Cause:        errors.Unwrap(err),
		Details:      details,
	})
}
