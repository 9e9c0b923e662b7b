package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// traceparent is the member of a W3C trace context that says which span it is. The vendor's state beside it is not kept.
const traceparent = "traceparent"

// Tracer starts spans. The zero Tracer starts none. It is safe for concurrent use.
type Tracer struct{ tracer trace.Tracer }

// NewTracer returns the tracer of a package; a nil provider makes the zero Tracer.
func NewTracer(provider trace.TracerProvider, name string) Tracer {
	if provider == nil {
		return Tracer{}
	}
	return Tracer{tracer: provider.Tracer(name)}
}

// On reports whether spans are wanted. Where making their attributes costs something, ask first.
func (t Tracer) On() bool { return t.tracer != nil }

// Start starts a span within that of ctx. It must be ended.
func (t Tracer) Start(ctx context.Context, name string, kind trace.SpanKind, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	if t.tracer == nil {
		return ctx, noop.Span{}
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...)) //nolint:spancheck // its caller ends it
}

// Trace returns the traceparent of the span in ctx, to be stored with what the span has caused; empty where there is none, or no
// tracer.
func (t Tracer) Trace(ctx context.Context) string {
	if t.tracer == nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// Continue returns a context whose spans belong to the span that the traceparent names. One that is empty or malformed is ignored.
func (t Tracer) Continue(ctx context.Context, parent string) context.Context {
	if t.tracer == nil || parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: parent})
}

// Fail marks the span as failed; a nil error does not.
func Fail(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
}
