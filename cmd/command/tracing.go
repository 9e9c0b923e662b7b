package command

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
)

// trace makes the tracer, and the interceptor that takes a trace through Temporal.
func (t *Telemetry) trace(ctx context.Context, o TelemetryOptions) error {
	processor := o.Spans
	if processor == nil {
		exporter, err := newSpanExporter(ctx, o.Endpoint)
		if err != nil {
			return err
		}
		processor = sdktrace.NewBatchSpanProcessor(&reportingExporter{SpanExporter: exporter, log: t.log})
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(processor), sdktrace.WithResource(t.about(ctx, o.Service)), sdktrace.WithIDGenerator(ids{}),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(o.Sample))),
	)
	t.TracerProvider, t.close = provider, append(t.close, provider.Shutdown)
	tracing, err := newTracing(provider.Tracer("temporal-sdk-go"))
	if err != nil {
		return err
	}
	t.Interceptors = []interceptor.ClientInterceptor{interceptor.NewTracingInterceptor(tracing)}
	return nil
}

// about says whose spans they are. What cannot be found out, or is malformed in OTEL_RESOURCE_ATTRIBUTES, is left out.
func (t *Telemetry) about(ctx context.Context, service string) *resource.Resource {
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(), resource.WithHost(),
		resource.WithAttributes(attribute.String("service.name", service), attribute.String("service.version", buildVersion())),
		resource.WithFromEnv(),
	)
	if err != nil {
		t.log.WarnContext(ctx, "traces do not say all of who this is", "err", err)
	}
	return about
}

func newSpanExporter(ctx context.Context, endpoint string) (sdktrace.SpanExporter, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, errors.New("the address for traces is not one: expected http(s)://HOST:PORT, and its secrets in OTEL_EXPORTER_OTLP_HEADERS")
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()))
	if err != nil {
		return nil, fmt.Errorf("make the exporter of traces: %w", err)
	}
	return exporter, nil
}

// reportingExporter tells the log of spans that are lost, instead of OpenTelemetry's global handler.
type reportingExporter struct {
	sdktrace.SpanExporter
	log *slog.Logger
}

// ExportSpans sends spans.
func (e *reportingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.log.WarnContext(ctx, "spans could not be sent and are lost", "spans", len(spans), "err", err)
	}
	return nil
}

// tracing is the SDK's tracer for workflows and activities, with ids that a replay finds again: a workflow that moves to another worker
// goes on under the span under which its first sections stand.
type tracing struct {
	interceptor.Tracer
	options opentelemetry.TracerOptions
}

func newTracing(tracer trace.Tracer) (*tracing, error) {
	o := opentelemetry.TracerOptions{
		Tracer: tracer, DisableBaggage: true,
		DisableSignalTracing: true, // the signals are heartbeats of pages, which belong to no trace
		// A header that cannot be read must not keep a task from running.
		AllowInvalidParentSpans: true,
	}
	inner, err := opentelemetry.NewTracer(o)
	if err != nil {
		return nil, fmt.Errorf("make the tracer for Temporal: %w", err)
	}
	return &tracing{Tracer: inner, options: o}, nil
}

// StartSpan starts a span; one with a key gets the id that belongs to the key.
func (t *tracing) StartSpan(o *interceptor.TracerStartSpanOptions) (interceptor.TracerSpan, error) {
	if o.IdempotencyKey == "" {
		return t.Tracer.StartSpan(o) //nolint:wrapcheck // as if it had been called
	}
	options := t.options
	options.SpanStarter = func(ctx context.Context, tracer trace.Tracer, name string, more ...trace.SpanStartOption) trace.Span {
		_, span := tracer.Start(context.WithValue(ctx, idKey{}, o.IdempotencyKey), name, more...) //nolint:spancheck // its caller ends it
		return span                                                                               //nolint:spancheck // as it says
	}
	keyed, err := opentelemetry.NewTracer(options)
	if err != nil {
		return nil, fmt.Errorf("make the tracer for Temporal: %w", err)
	}
	return keyed.StartSpan(o) //nolint:wrapcheck // as if it had been called
}

// idKey is the context key under which a span's key is handed to ids.
type idKey struct{}

// ids draws ids at random, or derives them from the span's key.
type ids struct{}

// NewIDs are those of a span that begins a trace.
func (i ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	bytes := i.bytes(ctx)
	return trace.TraceID(bytes[8:24]), trace.SpanID(bytes[:8])
}

// NewSpanID is that of a span within a trace.
func (i ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	bytes := i.bytes(ctx)
	return trace.SpanID(bytes[:8])
}

func (ids) bytes(ctx context.Context) [32]byte {
	if key, ok := ctx.Value(idKey{}).(string); ok {
		return sha256.Sum256([]byte(key))
	}
	var drawn [32]byte
	_, _ = rand.Read(drawn[:]) // it never fails
	return drawn
}
