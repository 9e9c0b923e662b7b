package holdfast

import (
	"fmt"
	"time"
)

// TaskOptions say how a task lives. The zero value: any number at once, cancelled when its page is gone.
type TaskOptions struct {
	// Concurrency is what happens when the task is asked for while one of the same name runs in the session. Defaults to AnyNumber.
	Concurrency Concurrency
	// OnDisconnect is what happens to the task when no page of its session is connected any more. Defaults to CancelOnDisconnect.
	OnDisconnect OnDisconnect
	// Grace is how long a page may be away, to reload or for want of a network, before that counts. At least 1 s. Defaults to 10 s.
	Grace time.Duration
	// Inline runs the task's sections and short sleeps inside the worker instead of one by one through Temporal: twenty times
	// faster, and less to see in the Web UI. What is promised stays the same. See workflows.Inline.
	Inline bool
}

// Concurrency is what happens when a task is asked for while one of the same name runs in the session.
type Concurrency string

const (
	// AnyNumber starts it beside the others, as the original does.
	AnyNumber Concurrency = ""
	// SkipIfRunning does nothing: the one that runs is enough.
	SkipIfRunning Concurrency = "skip"
	// Supersede cancels those that run, and starts the new one when they have ended, their Finally sections included. Of several that
	// wait for that only the last one starts.
	Supersede Concurrency = "supersede"
)

// OnDisconnect is what happens to a task when no page of its session is connected any more.
type OnDisconnect string

const (
	// CancelOnDisconnect cancels it after the grace period.
	CancelOnDisconnect OnDisconnect = ""
	// ContinueOnDisconnect lets it run to its end; the page shows what became of it when it comes back.
	ContinueOnDisconnect OnDisconnect = "continue"
)

const (
	defaultGrace = 10 * time.Second
	leastGrace   = time.Second
)

// With goes where a task's function would go: app.Tasks(holdfast.With(Report, holdfast.TaskOptions{…})). The function may
// be [Named]. It is still referred to by value: tx.Start(Report).
func With(task any, o TaskOptions) any { return withOptions{task: task, opts: o} }

type withOptions struct {
	task any
	opts TaskOptions
}

func optionsOf(arg any) (any, TaskOptions) {
	if w, ok := arg.(withOptions); ok {
		return w.task, w.opts
	}
	return arg, TaskOptions{}
}

// checked returns the options with their defaults, or says what is wrong with them.
func (o TaskOptions) checked(task string) (TaskOptions, error) {
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	switch {
	case o.Grace < leastGrace:
		return o, fmt.Errorf("task %s: Grace is %s; expected at least %s", task, o.Grace, leastGrace)
	case o.Concurrency != AnyNumber && o.Concurrency != SkipIfRunning && o.Concurrency != Supersede:
		return o, fmt.Errorf("task %s: Concurrency is %q; expected AnyNumber, SkipIfRunning or Supersede", task, o.Concurrency)
	case o.OnDisconnect != CancelOnDisconnect && o.OnDisconnect != ContinueOnDisconnect:
		return o, fmt.Errorf("task %s: OnDisconnect is %q; expected CancelOnDisconnect or ContinueOnDisconnect", task, o.OnDisconnect)
	}
	return o, nil
}
