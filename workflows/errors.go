package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// misuse is a call that can never work; it ends the task with a sentence that says what to do.
func misuse(format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), wire.ErrorMisuse, nil)
}

// failure is what is told of a failed task: the sentence for its page, the error's type, and the stack of a panic. The sentence
// is empty for a task that ended well or was cancelled.
func failure(err error) (message, kind, stack string) {
	if err == nil || temporal.IsCanceledError(err) {
		return "", "", ""
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		if app.Type() == wire.ErrorPanic {
			_ = app.Details(&stack) // one without a stack is still a panic
		}
		return app.Message(), app.Type(), stack
	}
	return err.Error(), "", ""
}
