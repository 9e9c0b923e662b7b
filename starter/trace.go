package starter

import (
	"context"
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// parent is the trace context that the client's event carries; empty for none. One that is malformed is left out by who continues it.
func (e *eventMessage) parent() (traceparent string) {
	_ = json.Unmarshal(e.Traceparent, &traceparent) // not even a string: there is none
	return traceparent
}

// traceEvent begins the span of an event of the page.
func (c *connection) traceEvent(kind state.CallKind, handler *holdfast.Handler, parent string) (context.Context, trace.Span) {
	tracer := c.starter.tracer
	if !tracer.On() {
		return c.ctx, noop.Span{}
	}
	return tracer.Start(tracer.Continue(c.ctx, parent), string(kind)+" "+handler.Type(), trace.SpanKindServer,
		attribute.String("holdfast.app", c.app.Name()), attribute.String("holdfast.event", handler.Name()),
		attribute.String("holdfast.session", string(c.session)),
	)
}

// traceRow begins the span of a row of the outbox, within the section that asked for it.
func (s *Starter) traceRow(ctx context.Context, row state.Pending) (context.Context, trace.Span) {
	if !s.tracer.On() {
		return ctx, noop.Span{}
	}
	return s.tracer.Start(s.tracer.Continue(ctx, row.Trace), "outbox "+string(row.Kind)+" "+row.App+"."+row.Name, trace.SpanKindConsumer,
		attribute.String("holdfast.app", row.App), attribute.String("holdfast.session", string(row.Session)),
		attribute.String("holdfast.row", row.ID),
	)
}

// traceDelta begins the span of a change on its way to the page, within the section that made it. A change without one has none.
func (c *connection) traceDelta(change *state.Change) (context.Context, trace.Span) {
	tracer := c.starter.tracer
	if !tracer.On() || change.Trace == "" {
		return c.ctx, noop.Span{}
	}
	return tracer.Start(tracer.Continue(c.ctx, change.Trace), "delta "+c.app.Name(), trace.SpanKindProducer,
		attribute.String("holdfast.app", c.app.Name()), attribute.String("holdfast.session", string(c.session)),
		attribute.Int64("holdfast.revision", change.Revision),
	)
}
