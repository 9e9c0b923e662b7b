package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// TraceID is the key of the trace's id in log records.
const TraceID = "trace_id"

// Logger returns a logger that adds the id of the context's trace to each record.
func (t Tracer) Logger(log *slog.Logger) *slog.Logger {
	if t.tracer == nil {
		return log
	}
	if _, ok := log.Handler().(traced); ok {
		return log
	}
	return slog.New(traced{log.Handler()})
}

// traced is a slog.Handler before another one.
type traced struct{ slog.Handler }

// Handle adds the trace's id.
func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		r = r.Clone()
		r.AddAttrs(slog.String(TraceID, span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r) //nolint:wrapcheck // as if it had been called
}

// WithAttrs keeps adding.
func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

// WithGroup keeps adding.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }
