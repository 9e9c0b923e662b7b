package workflows

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// contain turns a panic of the author's code into a failure of the task, with its stack in the details. Temporal's own way
// would be to retry the workflow task until a mended program is deployed; on the page that looks like a task that hangs.
//
// A panic that the SDK itself raised is let through: by these it reports that the code does not fit the history, and to
// fail the task then would turn a deploy that can be taken back into a loss. One of package codec is let through as well: this
// worker lacks a key, and another one or a later one has it. So is one of [forgotten].
func contain(task *holdfast.Task, err *error) { //nolint:gocritic // it sets the named result of the function that defers it
	value := recover() //nolint:revive // contain is what is deferred
	if value == nil {
		return
	}
	if _, ok := value.(*forgotten); ok {
		panic(value)
	}
	if by := panicker(); strings.HasPrefix(by, "go.temporal.io/sdk/") || strings.HasPrefix(by, "github.com/holdfast-run/holdfast/codec.") {
		panic(value)
	}
	message := fmt.Sprintf("%s panicked: %v", task.Type(), value)
	cause, _ := value.(error)
	if len(message) > wire.MaxFailure { // what the value wraps would be as long
		message, cause = wire.Bound(message, wire.MaxFailure), nil
	}
	*err = temporal.NewNonRetryableApplicationError(message, wire.ErrorPanic, cause, wire.Bound(string(debug.Stack()), wire.MaxStack))
}

// panicker is the function that panicked: below the runtime's own frames, which follow runtime.gopanic on the stack.
func panicker() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	panicking := false
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panicking = true
		case panicking && !strings.HasPrefix(frame.Function, "runtime."):
			return frame.Function
		}
		if !more {
			return ""
		}
	}
}
