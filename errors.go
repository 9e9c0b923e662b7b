package holdfast

import (
	"errors"
	"fmt"
)

var (
	// ErrImmutableState reports a change to state where it cannot be kept: in a read-only view, or through a [Tx]
	// whose section has ended. Nothing was committed.
	ErrImmutableState = errors.New("state can only be changed inside a section or an event")

	// ErrNestedSection reports a section that was entered from inside a section of the same session. It is returned at
	// once; waiting would be a deadlock.
	ErrNestedSection = errors.New("a section of this session is already running in this call")

	// ErrLockExpired reports a section that lost its session before it could commit: it ran past its deadline, or the
	// lock was lost to another process. Nothing was committed.
	ErrLockExpired = errors.New("the section lost its lock on the session")

	// ErrOverrun is the [ErrLockExpired] of a section whose function took longer than its deadline, not counting time in which
	// the process did not run; errors.Is finds both.
	ErrOverrun = fmt.Errorf("the section ran past its deadline: %w", ErrLockExpired)

	// ErrTaskEnded reports a section of a task that has ended, or was cancelled before it ran: of the run of its workflow that asks
	// for it. Nothing was committed, and a repeat would only bring this again.
	ErrTaskEnded = errors.New("the task has ended")

	// ErrUnknown reports an event, section, task or state that the app has not registered.
	ErrUnknown = errors.New("not registered")

	// ErrBadArgument reports an argument that does not fit the function it was sent to. The function did not run.
	ErrBadArgument = errors.New("bad argument")
)

// PanicError is what a panic in an author's function becomes: the call fails, the process goes on.
type PanicError struct {
	// Function is the name of the event, section or task, such as "counter.step".
	Function string
	// Value is what was given to panic.
	Value any
	// Stack is the stack of the goroutine that panicked.
	Stack string
}

// Error names the function and the value; the stack is left to who logs it.
func (e *PanicError) Error() string {
	return fmt.Sprintf("%s panicked: %v", e.Function, e.Value)
}

// Unwrap returns the panic's value when it is an error, so that errors.Is sees through the panic.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// SectionError is an error that an author's event or section returned, as against a fault of the machinery: to call
// again would only repeat it. Pages read it only if it is, or wraps, a [Rejection].
type SectionError struct {
	// Function is the name of the event or section, such as "counter.step".
	Function string
	// Err is the error as returned.
	Err error
}

// Error is the author's own sentence, after the name of the function.
func (e *SectionError) Error() string { return e.Function + ": " + e.Err.Error() }

// Unwrap returns the author's error.
func (e *SectionError) Unwrap() error { return e.Err }
