package command

import (
	"context"
	"log/slog"
)

// renamed gives what the SDK says in its records the names that it has in ours.
func renamed(logger *slog.Logger) *slog.Logger {
	return slog.New(renamingHandler{logger.Handler()})
}

// renamingHandler is a slog.Handler before another one.
type renamingHandler struct{ slog.Handler }

// Handle renames what the record says.
func (h renamingHandler) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(rename(a))
		return true
	})
	return h.Handler.Handle(ctx, out) //nolint:wrapcheck // as if it had been called
}

// WithAttrs renames what all its records say.
func (h renamingHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = rename(a)
	}
	return renamingHandler{h.Handler.WithAttrs(out)}
}

// WithGroup goes on renaming.
func (h renamingHandler) WithGroup(name string) slog.Handler {
	return renamingHandler{h.Handler.WithGroup(name)}
}

func rename(a slog.Attr) slog.Attr {
	if name, ok := namesOfSDK[a.Key]; ok {
		a.Key = name
	}
	return a
}

// namesOfSDK are our names for those of the SDK.
var namesOfSDK = map[string]string{
	"ActivityID":   "activity_id",
	"ActivityType": "activity_type",
	"Attempt":      "attempt",
	"Error":        "err",
	"Namespace":    "namespace",
	"RunID":        "run_id",
	"SpanID":       "span_id",
	"TaskQueue":    "task_queue",
	"TraceID":      "trace_id",
	"WorkerID":     "worker_id",
	"WorkflowID":   "workflow_id",
	"WorkflowType": "workflow_type",
}
