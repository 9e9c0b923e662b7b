package starter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.temporal.io/api/serviceerror"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// observed is a bench with a meter, a tracer and a log.
type observed struct {
	*bench
	reader *sdkmetric.ManualReader
	spans  *spans
	log    *records
}

func newObserved(t *testing.T) *observed {
	t.Helper()
	o := &observed{reader: sdkmetric.NewManualReader(), spans: &spans{ended: make(chan sdktrace.ReadOnlySpan, 1000)}, log: &records{}}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader))
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(o.spans))
	log := slog.New(slog.NewJSONHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	service := state.Open(memory.New(), state.Options{Logger: log, MeterProvider: meters, TracerProvider: tracers})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	o.bench = benchOn(t, newApp(), service, newTemporal(), func(options *starter.Options) {
		options.Logger, options.MeterProvider, options.TracerProvider = log, meters, tracers
	})
	return o
}

// spans hands on each span that ends.
type spans struct {
	tracetest.SpanRecorder
	ended chan sdktrace.ReadOnlySpan
}

// OnEnd hands the span on.
func (s *spans) OnEnd(span sdktrace.ReadOnlySpan) { s.ended <- span }

// span waits for a span of the name.
func (o *observed) span(name string) sdktrace.ReadOnlySpan {
	o.t.Helper()
	for {
		select {
		case span := <-o.spans.ended:
			if span.Name() == name {
				return span
			}
		case <-o.t.Context().Done():
			o.t.Fatal("no span " + name)
		}
	}
}

// records are the lines of a log.
type records struct {
	mu   sync.Mutex // protects text
	text bytes.Buffer
}

// Write keeps a line.
func (r *records) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(line)
}

// String is all that was written.
func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// all are the records with the message.
func (r *records) all(t *testing.T, message string) (found []map[string]any) {
	t.Helper()
	for line := range strings.Lines(r.String()) {
		record := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		if record["msg"] == message {
			found = append(found, record)
		}
	}
	return found
}

// measured is the value, or the count, for each combination of labels of the instrument.
func (o *observed) measured(name string) map[string]float64 {
	o.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(o.t, o.reader.Collect(context.Background(), &all))
	values := map[string]float64{}
	note := func(labels attribute.Set, v float64) { values[labels.Encoded(attribute.DefaultEncoder())] = v }
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != name {
				continue
			}
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					note(p.Attributes, float64(p.Count))
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					note(p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					note(p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					note(p.Attributes, p.Value)
				}
			}
		}
	}
	return values
}

// eventually waits for what is counted a moment after the page has heard of it.
func (o *observed) eventually(name string, want map[string]float64) {
	o.t.Helper()
	require.Eventually(o.t, func() bool { return maps.Equal(want, o.measured(name)) }, 10*time.Second, 10*time.Millisecond)
}

func TestConnectionsAndDeliveriesAreMeasured(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	p, welcome, at := o.fresh()
	p.event(1, "Increment", nil)
	p.want("delta")
	o.span("delta test") // ends when the change is measured
	require.Equal(t, map[string]float64{"app=test": 1}, o.measured("holdfast_connections"))
	require.Equal(t, map[string]float64{"app=test": 1}, o.measured("holdfast_commit_to_send"))

	again, _ := o.open(map[string]any{"token": welcome.Token, "client": "client01", "epoch": at.Epoch, "after": at.Revision})
	again.want("delta")
	o.span("delta test")
	require.Equal(t, map[string]float64{"app=test": 2}, o.measured("holdfast_connections"))
	require.Equal(t, map[string]float64{"app=test": 1}, o.measured("holdfast_commit_to_send"), "a page that was away kept the change waiting itself")

	require.NoError(t, p.Close(websocket.StatusNormalClosure, ""))
	require.NoError(t, again.Close(websocket.StatusNormalClosure, ""))
	require.NoError(t, o.Close(context.Background()))
	require.Equal(t, map[string]float64{"app=test": 0}, o.measured("holdfast_connections"))
	require.Empty(t, o.measured("holdfast_outbox_age"), "a starter that was closed says nothing any more")
}

func TestTheAgeOfTheOutboxGrowsWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.temporal.fail(serviceerror.NewUnavailable("away"))
	o.Start()
	require.Equal(t, map[string]float64{"": 0}, o.measured("holdfast_outbox_age"))
	p := o.settled()
	p.event(2, "Begin", "x")
	<-o.temporal.calls
	before := o.measured("holdfast_outbox_age")[""]
	require.Positive(t, before)
	<-o.temporal.calls
	require.Greater(t, o.measured("holdfast_outbox_age")[""], before)
	o.temporal.fail(nil)
	o.span("section test.Begin")
	for (*p.want("delta").Tasks)[0].Status != state.StatusRunning {
	}
	o.eventually("holdfast_outbox_age", map[string]float64{"": 0})
	p.event(3, "Begin", "y")
	o.want(p, 2)
	o.eventually("holdfast_tasks_started", map[string]float64{"app=test,task=Task": 2})
}

// want waits until so many tasks run.
func (o *observed) want(p page, running int) {
	o.t.Helper()
	for {
		n := 0
		if tasks := p.want("delta").Tasks; tasks != nil {
			for _, task := range *tasks {
				if task.Status == state.StatusRunning {
					n++
				}
			}
		}
		if n == running {
			return
		}
	}
}

func TestTasksAreCountedFromTheStart(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	p := o.settled()
	p.event(2, "Begin", "x")
	p.want("delta")
	o.Start()
	o.want(p, 1)
	require.Eventually(t, func() bool { return len(o.measured("holdfast_tasks")) == 1 }, 10*time.Second, 10*time.Millisecond)
	for labels, n := range o.measured("holdfast_tasks") {
		require.Regexp(t, `^app=test,status=(starting|running),task=Task$`, labels)
		require.InDelta(t, 1, n, 0)
	}
}

const aTrace = "0af7651916cd43dd8448eb211c80319c"

func TestATraceGoesFromTheEventToTheDelta(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.Start()
	p := o.settled()
	p.send(map[string]any{"type": "event", "id": 2, "name": "Begin", "arg": "x", "traceparent": "00-" + aTrace + "-b7ad6b7169203331-01"})
	found := map[string]sdktrace.ReadOnlySpan{}
	for len(found) < 4 {
		span := <-o.spans.ended
		if span.SpanContext().TraceID().String() == aTrace {
			found[span.Name()] = span
		}
	}
	event, section, row, delta := found["event test.Begin"], found["section test.Begin"], found["outbox start test.Task"], found["delta test"]
	require.Equal(t, "b7ad6b7169203331", event.Parent().SpanID().String())
	require.Equal(t, event.SpanContext().SpanID(), section.Parent().SpanID())
	require.Equal(t, section.SpanContext().SpanID(), row.Parent().SpanID())
	require.Equal(t, section.SpanContext().SpanID(), delta.Parent().SpanID())
}

func TestAMalformedTraceIsIgnoredAndNothingOfATraceReachesThePage(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	p := o.settled()
	for i, parent := range []any{"", "rubbish", 7, nil, map[string]any{"a": 1}, "00-" + aTrace + "-b7ad6b7169203331-01"} {
		p.send(map[string]any{"type": "event", "id": i + 2, "name": "Increment", "traceparent": parent})
		for {
			_, frame, err := p.Read(t.Context())
			require.NoError(t, err)
			require.NotContains(t, string(frame), "trace")
			require.NotContains(t, string(frame), `"at"`)
			if bytes.Contains(frame, []byte(`"delta"`)) {
				break
			}
		}
	}
}

func TestWhatIsLoggedOfAnEventNamesItsSessionAndTrace(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	p, welcome, _ := o.fresh()
	p.send(map[string]any{"type": "event", "id": 1, "name": "Crash", "traceparent": "00-" + aTrace + "-b7ad6b7169203331-01"})
	require.Equal(t, "failed", p.want("ack").Error.Code)
	record := o.log.all(t, "an event failed")[0]
	require.Equal(t, []any{"test", welcome.Session, "Crash", aTrace}, []any{record["app"], record["session"], record["event"], record["trace_id"]})
	require.NotContains(t, o.log.String(), welcome.Token)
	for _, span := range o.spans.Started() {
		for _, a := range span.Attributes() {
			require.NotContains(t, a.Value.String(), welcome.Token)
		}
	}
}

func TestATaskThatCannotBeStartedIsLoggedWithItsSession(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.temporal.fail(serviceerror.NewInvalidArgument("too large"))
	o.Start()
	p := o.settled()
	p.event(2, "Begin", "x")
	for (*p.want("delta").Tasks)[0].Status != state.StatusFailed {
	}
	record := o.log.all(t, "Temporal refuses to start a task")[0]
	id := holdfast.TaskID(record["task"].(string))
	require.Equal(t, string(id.Session()), record["session"])
	require.Equal(t, "test", record["app"])
	require.NotEmpty(t, record["trace_id"])
	o.eventually("holdfast_tasks_ended", map[string]float64{"app=test,outcome=refused,task=Task": 1})
}
