package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"

	"github.com/holdfast-run/holdfast/internal/telemetry"
)

// TelemetryOptions say how a process is observed.
type TelemetryOptions struct {
	// Service is the name under which its traces stand, such as "holdfast-worker". OTEL_SERVICE_NAME overrides it.
	Service string
	// Endpoint is where spans are sent to with OTLP over HTTP, such as "http://collector:4318"; a path is taken as it is, and without
	// one it is /v1/traces. Headers, certificates and time-outs come from the standard OTEL_EXPORTER_OTLP_ variables. Empty: nothing
	// is traced.
	Endpoint string
	// Sample is the share of traces, from 0 to 1, that are kept of those that begin here. One that began elsewhere is kept if it is
	// there.
	Sample float64
	// Spans gets the spans in place of an endpoint, for tests. May be nil.
	Spans sdktrace.SpanProcessor
	// Logger is told of spans that could not be sent. Defaults to slog.Default.
	Logger *slog.Logger
}

// Telemetry is what a process is observed with; docs/observability.md says what is to be seen.
type Telemetry struct {
	// MeterProvider and TracerProvider are for the options of packages state and starter. TracerProvider is nil when nothing is traced.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// MetricsHandler and Interceptors are for the options of a Temporal client; its workers take them over.
	MetricsHandler client.MetricsHandler
	Interceptors   []interceptor.ClientInterceptor
	// Handler serves the metrics in the form of Prometheus.
	Handler http.Handler

	log   *slog.Logger
	close []func(context.Context) error
}

// NewTelemetry makes what a process is observed with. It keeps nothing in global variables and connects to nothing at once: an endpoint
// that cannot be reached is a warning in the log, later. Close must be called.
func NewTelemetry(ctx context.Context, o TelemetryOptions) (*Telemetry, error) {
	if o.Sample < 0 || o.Sample > 1 {
		return nil, fmt.Errorf("the share of traces to keep is %v; expected 0 to 1", o.Sample)
	}
	t := &Telemetry{log: o.Logger}
	if t.log == nil {
		t.log = slog.Default()
	}
	if err := t.measure(); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	if o.Endpoint != "" || o.Spans != nil {
		if err := t.trace(ctx, o); err != nil {
			return nil, fmt.Errorf("telemetry: %w", err)
		}
	}
	return t, nil
}

// Close sends what has not been sent yet, as long as ctx allows.
func (t *Telemetry) Close(ctx context.Context) error {
	errs := make([]error, 0, len(t.close))
	for _, f := range t.close {
		errs = append(errs, f(ctx))
	}
	t.close = nil
	return errors.Join(errs...)
}

// measure makes the meter, and what shows it.
func (t *Telemetry) measure() error {
	registry := prometheus.NewRegistry()
	if err := errors.Join(
		registry.Register(collectors.NewGoCollector()),
		registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
	); err != nil {
		return fmt.Errorf("register the collectors of the process: %w", err)
	}
	exporter, err := otelprometheus.New(
		otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo(),
	)
	if err != nil {
		return fmt.Errorf("make the exporter of metrics: %w", err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter), sdkmetric.WithView(durations()))
	t.MeterProvider, t.close = provider, append(t.close, provider.Shutdown)
	t.MetricsHandler = opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter:                provider.Meter("temporal-sdk-go"),
		UseMonotonicCounters: true, // without it Prometheus gets gauges, and names without _total
		OnError:              func(err error) { t.log.Warn("a metric of the SDK is missing", "err", err) },
	})
	t.Handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(t.log.Handler(), slog.LevelWarn)})
	return nil
}

// durations gives all histograms of seconds our buckets: those of the SDK would be made for milliseconds.
func durations() sdkmetric.View {
	return sdkmetric.NewView(
		sdkmetric.Instrument{Kind: sdkmetric.InstrumentKindHistogram, Unit: "s"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: telemetry.Buckets()}},
	)
}
