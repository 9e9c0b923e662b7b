package workflows

import (
	"cmp"
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// misuse is a call that can never work; it ends the task with a sentence that says what
// to do.
func misuse(format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), wire.ErrorMisuse, nil)
}

// failure describes how a task failed to those who are told. It is empty for a task that
// ended well or was cancelled.
func (r *run) failure(ctx workflow.Context, err error) (in wire.TaskEndedInput) {
	if err == nil || temporal.IsCanceledError(err) {
		return in
	}
	in.Failure = err.Error()
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		in.Failure, in.Kind = app.Message(), app.Type()
		if app.Type() == wire.ErrorPanic {
			_ = app.Details(&in.Stack) // one without a stack is still a panic
		}
	}
	in.Shown = fmt.Sprintf("%s failed (%s)", r.task.Name(), wire.FailureID(workflow.GetInfo(ctx).WorkflowExecution.RunID))
	if sentence, ok := rejection(err); ok {
		in.Shown = sentence
		if in.Kind == "" {
			in.Kind = wire.ErrorRejected
		}
	}
	in.Failure = cmp.Or(wire.Bound(in.Failure, wire.MaxFailure), in.Shown) // also an error without a word is a failure
	in.Stack = wire.Bound(in.Stack, wire.MaxStack)
	return in
}

// rejection is the sentence for people of the error, or of the nearest that it wraps and
// that has one. That of a panic is not looked for.
func rejection(err error) (sentence string, ok bool) {
	switch err := err.(type) { //nolint:errorlint // it goes through the chain itself
	case *holdfast.Rejection:
		return err.Error(), true
	case *temporal.ApplicationError:
		switch err.Type() {
		case wire.ErrorRejected:
			return err.Message(), err.Message() != ""
		case wire.ErrorPanic:
			return "", false
		}
	}
	switch err := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		return rejection(err.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range err.Unwrap() {
			if sentence, ok := rejection(err); ok {
				return sentence, true
			}
		}
	}
	return "", false
}

// fit is the error of a task as Temporal takes it: in place of one of many megabytes,
// which would be refused time and again, comes its beginning.
func fit(err error) error {
	const most = 64 * wire.MaxFailure
	if temporal.GetDefaultFailureConverter().ErrorToFailure(err).Size() <= most {
		return err
	}
	kind := ""
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		kind = app.Type()
	}
	return temporal.NewNonRetryableApplicationError(wire.Bound(err.Error(), wire.MaxFailure), kind, nil)
}
