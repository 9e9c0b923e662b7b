package command

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/holdfast-run/holdfast/internal/golden"
	"github.com/holdfast-run/holdfast/workflows"
)

// TestHistoriesFromBeforeReplayWithATracer: and a replay makes no span of what was done before it, and that of the run under the same id.
func TestHistoriesFromBeforeReplayWithATracer(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../workflows/testdata/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			spans := tracetest.NewSpanRecorder()
			seen, err := NewTelemetry(t.Context(), TelemetryOptions{Service: "test", Sample: 1, Spans: spans})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, seen.Close(context.Background())) })
			tracing, ok := seen.Interceptors[0].(interceptor.WorkerInterceptor)
			require.True(t, ok, "workers take it over from their client")
			for range 2 {
				replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
					Interceptors: []interceptor.WorkerInterceptor{tracing, workflows.Interceptor()}, // as a worker has them
				})
				require.NoError(t, err)
				require.NoError(t, workflows.Register(replayer, golden.App()))
				require.NoError(t, replayer.ReplayWorkflowHistoryFromJSONFile(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), path))
			}
			ids := map[string]string{} // by the span's name
			for _, span := range spans.Started() {
				require.Regexp(t, `^(RunWorkflow:golden\.|HandleUpdate:)`, span.Name(), "what the workflow called was traced when it ran")
				id := span.SpanContext().SpanID().String()
				if known, again := ids[span.Name()]; again {
					require.Equal(t, known, id, "%s has another id in the second replay", span.Name())
				}
				ids[span.Name()] = id
			}
			require.NotEmpty(t, ids)
		})
	}
}

func TestTheStandardVariablesAreHeeded(t *testing.T) {
	tokens := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { tokens <- r.Header.Get("X-Token") }))
	t.Cleanup(collector.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=hunter2")
	seen, err := NewTelemetry(t.Context(), TelemetryOptions{Service: "mine", Endpoint: collector.URL, Sample: 1})
	require.NoError(t, err)
	_, span := seen.TracerProvider.Tracer("test").Start(t.Context(), "a")
	span.End()
	require.NoError(t, seen.Close(t.Context()))
	require.Equal(t, "hunter2", <-tokens)

	for variable, name := range map[string]string{"": "mine", "theirs": "theirs"} {
		t.Setenv("OTEL_SERVICE_NAME", variable)
		spans := tracetest.NewSpanRecorder()
		seen, err := NewTelemetry(t.Context(), TelemetryOptions{Service: "mine", Spans: spans, Sample: 1})
		require.NoError(t, err)
		_, span := seen.TracerProvider.Tracer("test").Start(t.Context(), "a")
		span.End()
		require.Contains(t, spans.Ended()[0].Resource().Attributes(), attribute.String("service.name", name))
		require.NoError(t, seen.Close(t.Context()))
	}
}
