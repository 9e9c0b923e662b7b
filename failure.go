package holdfast

import (
	"context"
	"log/slog"
)

// Failure is what [App.OnError] is told.
type Failure struct {
	// Session is where it happened.
	Session SessionID
	// Task is the task that failed; empty for an event.
	Task TaskID
	// Name is that of the task or event.
	Name string
	// Kind is the type of the error: "SectionError", "Rejected", "Panic", "Overrun", … or a type that the author chose.
	Kind string
	// Message is the error's sentence, for the author and the operator. The page gets it only if it is a [Rejection]'s.
	Message string
	// ID is what the page shows in place of the message, and what the line in the log
	// has as "id". That of a task is how the id of its run in Temporal begins.
	ID string
	// Stack is that of a panic; otherwise empty.
	Stack string
}

// ReportFailure calls what OnError added. Safe for concurrent use.
func (a *App) ReportFailure(ctx context.Context, f Failure) {
	for _, fn := range a.onError {
		a.report(ctx, fn, f)
	}
}

func (a *App) report(ctx context.Context, fn func(context.Context, Failure), f Failure) {
	defer func() {
		if value := recover(); value != nil {
			slog.ErrorContext(ctx, "a function of app.OnError panicked", "app", a.name, "panic", value)
		}
	}()
	fn(ctx, f)
}
