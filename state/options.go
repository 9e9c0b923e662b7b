package state

import (
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Options tune a [Service]. The zero value of a field stands for its default.
type Options struct {
	// Deadline is how long a section's function, with the View of what it changed, may take once it has its session. Time in
	// which the process did not run does not count. Defaults to 5 s.
	Deadline time.Duration
	// Lease is how long a session stays held by a process that has died. It is renewed while a section runs, so it may be
	// shorter than Deadline. Defaults to 1.5 s.
	Lease time.Duration
	// KeepChanges is how many changes a session keeps for readers to resume from. Defaults to 1000.
	KeepChanges int64
	// KeepMessages is how many messages a session keeps for a client that is away. Defaults to 100.
	KeepMessages int64
	// ExpireAfter is how long a session without a running task is kept after its last use. Defaults to 1 hour.
	ExpireAfter time.Duration
	// Look is how often a reader looks for changes without being told of one, in case a notice was lost. Defaults to 5 s.
	Look time.Duration
	// Logger gets what has no caller to be returned to. Defaults to slog.Default.
	Logger *slog.Logger
	// MeterProvider gets the service's metrics, TracerProvider its spans; docs/observability.md names them. Without one nothing
	// is measured, or traced, and with no tracer nothing of a trace is stored.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
}

// WithDefaults returns the options with every default filled in.
func (o Options) WithDefaults() Options {
	fill(&o.Deadline, 5*time.Second)
	fill(&o.Lease, 1500*time.Millisecond)
	fill(&o.KeepChanges, 1000)
	fill(&o.KeepMessages, 100)
	fill(&o.ExpireAfter, time.Hour)
	fill(&o.Look, 5*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
