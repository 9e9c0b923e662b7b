package e2e_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	sdkclient "go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/cmd/command"
	"github.com/holdfast-run/holdfast/dev/e2e/fast"
	"github.com/holdfast-run/holdfast/dev/embedded"
	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/worker"
)

// spans hands on each span that ends.
type spans chan sdktrace.ReadOnlySpan

func (spans) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (s spans) OnEnd(span sdktrace.ReadOnlySpan)              { s <- span }
func (spans) Shutdown(context.Context) error                  { return nil }
func (spans) ForceFlush(context.Context) error                { return nil }

// server is where a starter is.
type server string

func (s server) URL(path string) string { return string(s) + path }

// traced is a starter and a worker in this process, with all their spans.
func traced(t *testing.T) (server, spans) {
	t.Helper()
	temporal, err := embedded.Start(t.Context(), embedded.Options{})
	require.NoError(t, err)
	t.Cleanup(temporal.Stop)
	ended := make(spans, 100_000)
	seen, err := command.NewTelemetry(t.Context(), command.TelemetryOptions{Service: "test", Sample: 1, Spans: ended})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, seen.Close(context.Background())) })
	quiet := slog.New(slog.DiscardHandler)
	c, err := sdkclient.DialContext(t.Context(), sdkclient.Options{
		HostPort: temporal.Address(), Namespace: temporal.Namespace(), Logger: command.SDKLogger(quiet),
		MetricsHandler: seen.MetricsHandler, Interceptors: seen.Interceptors,
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	service := state.Open(memory.New(), state.Options{Logger: quiet, MeterProvider: seen.MeterProvider, TracerProvider: seen.TracerProvider})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	apps := []*holdfast.App{fast.App()}
	w, err := worker.New(c, service, worker.Options{Apps: apps})
	require.NoError(t, err)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	s, err := starter.New(starter.Options{
		State: service, Temporal: c, Apps: apps, SessionKey: []byte(strings.Repeat("k", 32)), Logger: quiet,
		MeterProvider: seen.MeterProvider, TracerProvider: seen.TracerProvider,
	})
	require.NoError(t, err)
	s.Start()
	pages := httptest.NewServer(s)
	t.Cleanup(func() {
		require.NoError(t, s.Close(context.Background()))
		pages.Close()
	})
	return server(pages.URL), ended
}

// TestOneTraceFromTheEventToTheDelta follows the last delta of a task back to the event that started the task.
func TestOneTraceFromTheEventToTheDelta(t *testing.T) {
	t.Parallel()
	at, ended := traced(t)
	page := newClient(t, at, "fast")
	page.reconnect()
	page.sent++
	const parent, theTrace = "b7ad6b7169203331", "0af7651916cd43dd8448eb211c80319c"
	event := map[string]any{"type": "event", "id": page.sent, "name": "CountTo", "arg": 3, "traceparent": "00-" + theTrace + "-" + parent + "-01"}
	page.waiting = append(page.waiting, event)
	require.NoError(t, wsjson.Write(t.Context(), page.conn, event))
	page.until(func() bool { return page.done && len(page.tasks) == 0 })

	byID := map[trace.SpanID]sdktrace.ReadOnlySpan{}
	ways := map[string]bool{}
	for !ways[theWay] || !ways[ofTheEvent] { // the span of the workflow's run comes last
		span := <-ended
		if span.SpanContext().TraceID().String() == theTrace {
			byID[span.SpanContext().SpanID()] = span
		}
		for _, one := range byID {
			ways[way(byID, one)] = true
		}
	}
}

const (
	ofTheEvent = "event fast.CountTo < client"
	theWay     = "delta fast < section fast.step < RunActivity:fast.step < StartActivity:fast.step < RunWorkflow:fast.Count < " +
		"StartWorkflow:fast.Count < outbox start fast.Count < section fast.CountTo < " + ofTheEvent
)

// way is how a span goes back to the client, as far as it is known.
func way(spans map[trace.SpanID]sdktrace.ReadOnlySpan, span sdktrace.ReadOnlySpan) string {
	names := []string{}
	for ; span != nil; span = spans[span.Parent().SpanID()] {
		names = append(names, span.Name())
		if span.Parent().SpanID().String() == "b7ad6b7169203331" {
			names = append(names, "client")
		}
	}
	return strings.Join(names, " < ")
}
