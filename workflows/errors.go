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

// failure is the sentence about a failed task for its page; empty for a task that ended well or was cancelled.
func failure(err error) string {
	if err == nil || temporal.IsCanceledError(err) {
		return ""
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return app.Message()
	}
	return err.Error()
}
