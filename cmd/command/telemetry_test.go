package command

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// watchedState is the state of the app that these tests look at.
type watchedState struct {
	Counter int `json:"counter"`
}

func watchedEvent(tx *holdfast.Tx, s *watchedState) error {
	s.Counter++
	tx.Start(watchedTask)
	return nil
}

func watchedTask(workflow.Context) error { return nil }

// willing is a Temporal client that starts whatever it is asked to start.
type willing struct{ client.Client }

func (willing) ExecuteWorkflow(context.Context, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	return nil, nil
}

func (willing) SignalWorkflow(context.Context, string, string, string, any) error { return nil }

func (willing) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{}, nil
}

// watched is an app that runs, observed, and what /metrics says of it after an event that was sent twice and a task that ended.
func watched(t *testing.T) string {
	t.Helper()
	seen, err := NewTelemetry(t.Context(), TelemetryOptions{Service: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, seen.Close(context.Background())) })
	require.Nil(t, seen.TracerProvider)
	require.Empty(t, seen.Interceptors)
	app := holdfast.NewApp("test", watchedState{})
	app.Events(watchedEvent)
	app.Tasks(watchedTask)
	quiet := slog.New(slog.DiscardHandler)
	service := state.Open(memory.New(), state.Options{MeterProvider: seen.MeterProvider, Logger: quiet})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	s, err := starter.New(starter.Options{
		State: service, Temporal: willing{}, Apps: []*holdfast.App{app}, SessionKey: []byte(strings.Repeat("k", 32)),
		MeterProvider: seen.MeterProvider, Logger: quiet,
	})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		require.NoError(t, s.Close(context.Background()))
		server.Close()
	})
	page := visit(t, server.URL)
	require.NoError(t, wsjson.Write(t.Context(), page, map[string]any{"type": "event", "id": 1, "name": "watchedEvent"}))
	await(t, page, "ack")
	require.NoError(t, wsjson.Write(t.Context(), page, map[string]any{"type": "event", "id": 1, "name": "watchedEvent"}))
	await(t, page, "ack")
	require.NoError(t, wsjson.Write(t.Context(), page, map[string]any{"type": "event", "id": 2, "name": "watchedEvent"}))
	await(t, page, "delta")
	s.Start()
	listed, err := service.Listed(t.Context())
	require.NoError(t, err)
	await(t, page, "delta") // they run
	var text string
	require.Eventually(t, func() bool {
		text = scrape(t, seen.Handler)
		return strings.Contains(text, "holdfast_tasks{") && strings.Contains(text, "holdfast_commit_to_send_seconds_count") &&
			strings.Contains(text, `outcome="applied",section="watchedEvent"} 2`)
	}, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, service.TaskEnded(t.Context(), listed[0].Session, listed[0].Tasks[0].ID, "", ""))
	return scrape(t, seen.Handler)
}

func visit(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url+"/test/socket", &websocket.DialOptions{Subprotocols: []string{"holdfast.v1"}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.CloseNow() })
	require.NoError(t, wsjson.Write(t.Context(), conn, map[string]any{"type": "hello", "new": true, "client": "client00"}))
	await(t, conn, "snapshot")
	return conn
}

func await(t *testing.T, conn *websocket.Conn, kind string) {
	t.Helper()
	for {
		var m struct {
			Type string `json:"type"`
		}
		require.NoError(t, wsjson.Read(t.Context(), conn, &m))
		if m.Type == kind {
			return
		}
	}
}

func scrape(t *testing.T, handler http.Handler) string {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

// types are the metrics of the text whose names begin so, each as "name type".
func types(text, prefix string) (all []string) {
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (`+prefix+`\S+ \S+)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, found[1])
	}
	slices.Sort(all)
	return all
}

// TestMetricsHaveTheNamesThatDashboardsAskFor: they are never changed.
func TestMetricsHaveTheNamesThatDashboardsAskFor(t *testing.T) {
	t.Parallel()
	text := watched(t)
	require.Equal(t, []string{
		"holdfast_commit_to_send_seconds histogram",
		"holdfast_connections gauge",
		"holdfast_heartbeats_refused_total counter",
		"holdfast_ledger_hits_total counter",
		"holdfast_lock_wait_seconds histogram",
		"holdfast_outbox_age_seconds gauge",
		"holdfast_pauses_total counter",
		"holdfast_section_duration_seconds histogram",
		"holdfast_tasks gauge",
		"holdfast_tasks_ended_total counter",
		"holdfast_tasks_started_total counter",
	}, types(text, "holdfast_"))
	for _, line := range []string{
		`holdfast_section_duration_seconds_bucket{app="test",kind="event",outcome="applied",section="watchedEvent",le="0.0001"}`,
		`holdfast_section_duration_seconds_count{app="test",kind="event",outcome="applied",section="watchedEvent"} 2`,
		`holdfast_section_duration_seconds_count{app="test",kind="event",outcome="repeated",section="watchedEvent"} 1`,
		`holdfast_lock_wait_seconds_count{app="test"}`,
		`holdfast_lock_wait_seconds_bucket{app="test",le="10"}`,
		`holdfast_ledger_hits_total{app="test",section="watchedEvent"} 1`,
		`holdfast_commit_to_send_seconds_count{app="test"}`,
		`holdfast_connections{app="test"} 1`,
		"holdfast_outbox_age_seconds 0",
		`holdfast_tasks{app="test",status="`,
		`holdfast_tasks_started_total{app="test",task="watchedTask"} 2`,
		`holdfast_tasks_ended_total{app="test",outcome="completed",task="watchedTask"} 1`,
	} {
		require.Contains(t, text, "\n"+line)
	}
	require.NotEmpty(t, types(text, "go_"))
	require.NotContains(t, text, "otel_scope")
	require.NotContains(t, text, "test-", "no session is in a label")
}

// TestTheTableOfMetricsIsTrue compares it with what is registered.
func TestTheTableOfMetricsIsTrue(t *testing.T) {
	t.Parallel()
	text := watched(t)
	page, err := os.ReadFile("../../docs/observability.md")
	require.NoError(t, err)
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(holdfast_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*)\\|").FindAllSubmatch(page, -1) {
		listed = append(listed, string(row[1])+" "+string(row[2]))
		for _, label := range regexp.MustCompile("`([a-z]+)`").FindAllSubmatch(row[3], -1) {
			require.Regexp(t, "\n"+string(row[1])+`(_bucket)?\{[^}]*`+string(label[1])+`="`, text)
		}
	}
	slices.Sort(listed)
	require.Equal(t, types(text, "holdfast_"), listed)
}

func TestTheMetricsOfTheSDKHaveTheNamesThatAreDocumented(t *testing.T) {
	t.Parallel()
	seen, err := NewTelemetry(t.Context(), TelemetryOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, seen.Close(context.Background())) })
	tagged := seen.MetricsHandler.WithTags(map[string]string{"namespace": "default"})
	tagged.Timer("temporal_workflow_task_schedule_to_start_latency").Record(3 * time.Millisecond)
	tagged.Gauge("temporal_worker_task_slots_available").Update(7)
	tagged.Gauge("temporal_sticky_cache_size").Update(8)
	tagged.Counter("temporal_request_failure").Inc(2)
	text := scrape(t, seen.Handler)
	for _, line := range []string{
		`temporal_workflow_task_schedule_to_start_latency_seconds_bucket{namespace="default",le="0.0025"} 0`,
		`temporal_workflow_task_schedule_to_start_latency_seconds_bucket{namespace="default",le="0.005"} 1`,
		`temporal_worker_task_slots_available{namespace="default"} 7`,
		`temporal_sticky_cache_size{namespace="default"} 8`,
		`temporal_request_failure_total{namespace="default"} 2`,
	} {
		require.Contains(t, text, "\n"+line+"\n")
	}
}

func TestTelemetryRefusesWhatCannotBeRight(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"collector:4318", "ftp://collector", "http://", "http://me:hunter2@collector"} {
		_, err := NewTelemetry(t.Context(), TelemetryOptions{Endpoint: bad, Sample: 1})
		require.ErrorContains(t, err, "expected http(s)://HOST:PORT")
		require.NotContains(t, err.Error(), "hunter2")
	}
	for _, bad := range []float64{-0.1, 1.1} {
		_, err := NewTelemetry(t.Context(), TelemetryOptions{Sample: bad})
		require.ErrorContains(t, err, "expected 0 to 1")
	}
}

func TestCloseSendsTheSpansThatAreLeft(t *testing.T) {
	t.Parallel()
	paths := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path }))
	t.Cleanup(collector.Close)
	for endpoint, path := range map[string]string{collector.URL: "/v1/traces", collector.URL + "/mine": "/mine"} {
		seen, err := NewTelemetry(t.Context(), TelemetryOptions{Service: "test", Endpoint: endpoint, Sample: 1})
		require.NoError(t, err)
		_, span := seen.TracerProvider.Tracer("test").Start(t.Context(), "a")
		span.End()
		require.NoError(t, seen.Close(t.Context()))
		require.NoError(t, seen.Close(t.Context()), "it may be called again")
		require.Equal(t, path, <-paths)
	}
}

func TestSpansThatAreLostAreTold(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	exporter := &reportingExporter{SpanExporter: broken{}, log: slog.New(slog.NewTextHandler(&out, nil))}
	require.NoError(t, exporter.ExportSpans(t.Context(), make([]sdktrace.ReadOnlySpan, 3)))
	require.Contains(t, out.String(), `level=WARN msg="spans could not be sent and are lost" spans=3 err="no collector"`)
}

// broken is an exporter that sends nothing.
type broken struct{ sdktrace.SpanExporter }

// ExportSpans fails.
func (broken) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	return errors.New("no collector")
}

func TestTheShareOfTracesIsKept(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	seen, err := NewTelemetry(t.Context(), TelemetryOptions{Spans: spans, Sample: 0})
	require.NoError(t, err)
	tracer := seen.TracerProvider.Tracer("test")
	_, span := tracer.Start(t.Context(), "begins here")
	span.End()
	require.Empty(t, spans.Ended())
	require.True(t, span.SpanContext().IsValid(), "what is left out is left out everywhere")
}

func TestASpanWithAKeyHasTheIdOfTheKey(t *testing.T) {
	t.Parallel()
	one, again, other := context.WithValue(t.Context(), idKey{}, "a"), context.WithValue(t.Context(), idKey{}, "a"), t.Context()
	trace, id := ids{}.NewIDs(one)
	sameTrace, sameID := ids{}.NewIDs(again)
	require.Equal(t, trace, sameTrace)
	require.Equal(t, id, sameID)
	require.Equal(t, id, ids{}.NewSpanID(one, trace))
	drawn := ids{}.NewSpanID(other, trace)
	require.NotEqual(t, drawn, ids{}.NewSpanID(other, trace))
}

func TestTheSDKsRecordsHaveOurNames(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := SDKLogger(slog.New(slog.NewTextHandler(&out, nil)))
	log.Warn("Activity error.", "WorkflowID", "w", "RunID", "r", "TraceID", "t", "Error", "e", "Other", 1)
	require.Contains(t, out.String(), "part=sdk workflow_id=w run_id=r trace_id=t err=e Other=1")
}
