package telemetry_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-run/holdfast/internal/telemetry"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestASpanContinuesTheTraceThatIsNamed(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	tracer := telemetry.NewTracer(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)), "test")
	ctx, span := tracer.Start(tracer.Continue(t.Context(), parent), "a", trace.SpanKindInternal)
	span.End()
	ended := spans.Ended()[0]
	require.Equal(t, "0af7651916cd43dd8448eb211c80319c", ended.SpanContext().TraceID().String())
	require.Equal(t, "b7ad6b7169203331", ended.Parent().SpanID().String())
	require.Equal(t, "00-0af7651916cd43dd8448eb211c80319c-"+ended.SpanContext().SpanID().String()+"-01", tracer.Trace(ctx))
}

func TestWhatIsNoTraceparentIsIgnored(t *testing.T) {
	t.Parallel()
	tracer := telemetry.NewTracer(sdktrace.NewTracerProvider(), "test")
	for _, bad := range []string{
		"", "x", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", parent + "-more",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
	} {
		require.Empty(t, tracer.Trace(tracer.Continue(t.Context(), bad)), bad)
	}
}

func TestWithoutATracerNothingIsStoredAndNothingAllocated(t *testing.T) { //nolint:paralleltest // it counts allocations
	var off telemetry.Tracer
	require.False(t, off.On())
	around := telemetry.NewTracer(sdktrace.NewTracerProvider(), "test").Continue(t.Context(), parent)
	require.Empty(t, off.Trace(around), "a span of somebody else's is nothing to store")
	require.Equal(t, t.Context(), off.Continue(t.Context(), parent))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		ctx, span := off.Start(around, "a", trace.SpanKindInternal)
		_ = off.Trace(ctx)
		span.End()
	}))
	log := slog.New(slog.DiscardHandler)
	require.Same(t, log, off.Logger(log))
}

func TestRecordsCarryTheTrace(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tracer := telemetry.NewTracer(sdktrace.NewTracerProvider(), "test")
	log := tracer.Logger(slog.New(slog.NewTextHandler(&out, nil)))
	log.With("app", "x").InfoContext(tracer.Continue(t.Context(), parent), "hello")
	require.Contains(t, out.String(), "app=x trace_id=0af7651916cd43dd8448eb211c80319c")
	out.Reset()
	log.InfoContext(t.Context(), "hello")
	require.NotContains(t, out.String(), "trace_id")
	require.Equal(t, log, tracer.Logger(log), "the id is not added twice")
}

func TestInstrumentsSayWhatIsWrongWithThem(t *testing.T) {
	t.Parallel()
	meter := telemetry.NewMeter(noop.NewMeterProvider(), "test")
	meter.Seconds("a", "").Record(t.Context(), 1)
	meter.Counter("b", "").Add(t.Context(), 1)
	stop := meter.Observe(func(context.Context, metric.Observer) error { return nil }, meter.Observed("c", ""), meter.ObservedSeconds("d", ""))
	stop()
	require.NoError(t, meter.Err())
}
