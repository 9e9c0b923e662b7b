package state_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

func measuredRefuse(*holdfast.Tx, *State) error  { return errors.New("no more seats") }
func measuredCrash(*holdfast.Tx, *State) error   { panic("out of cheese") }
func measuredNothing(*holdfast.Tx, *State) error { return nil }
func measuredHang(tx *holdfast.Tx, _ *State) error {
	<-tx.Context().Done()
	return nil
}

// observedBench is a service with a meter and a tracer.
type observedBench struct {
	*bench
	reader *sdkmetric.ManualReader
	spans  *tracetest.SpanRecorder
	tracer trace.Tracer
}

func newObserved(t *testing.T) *observedBench {
	t.Helper()
	app := holdfast.NewApp("test", State{})
	app.Sections(increment, add, measuredRefuse, measuredCrash, measuredNothing, measuredHang, startTwo, startNewest)
	app.Tasks(task, taskWith, holdfast.With(newest, holdfast.TaskOptions{Concurrency: holdfast.Supersede}))
	require.NoError(t, app.Check())
	o := &observedBench{reader: sdkmetric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(o.spans))
	o.tracer = tracers.Tracer("test")
	o.bench = &bench{t: t, app: app, Service: state.Open(memory.New(), state.Options{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader)), TracerProvider: tracers,
	})}
	t.Cleanup(func() { require.NoError(t, o.Close()) })
	return o
}

// measured is how often each combination of labels of the instrument was measured.
func (o *observedBench) measured(name string) map[string]int64 {
	o.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(o.t, o.reader.Collect(context.Background(), &all))
	counts := map[string]int64{}
	note := func(labels attribute.Set, n int64) { counts[labels.Encoded(attribute.DefaultEncoder())] = n }
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					if m.Name == name {
						note(p.Attributes, int64(p.Count))
					}
				}
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					if m.Name == name {
						note(p.Attributes, p.Value)
					}
				}
			}
		}
	}
	return counts
}

func TestSectionsAreMeasuredByWhatTheyCameTo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newObserved(t)
		o.apply(increment, "1", "")
		o.apply(increment, "1", "") // a repeat
		o.apply(measuredNothing, "", "")
		for _, fn := range []any{measuredRefuse, measuredCrash, measuredHang} {
			call := o.call(fn, "", "")
			call.Kind = state.CallEvent
			_, err := o.Apply(t.Context(), call)
			require.Error(t, err)
		}
		call := o.call(add, "", "1")
		call.Task, call.Run, call.Relist = "test.task-abc-x", "run", true
		_, err := o.Apply(t.Context(), call)
		require.NoError(t, err)
		call.Input = []byte(`"one"`)
		_, err = o.Apply(t.Context(), call)
		require.ErrorIs(t, err, holdfast.ErrBadArgument, "it never had the lock, and is no section")
		require.Equal(t, map[string]int64{
			"app=test,kind=other,outcome=applied,section=increment":         1,
			"app=test,kind=other,outcome=repeated,section=increment":        1,
			"app=test,kind=other,outcome=unchanged,section=measuredNothing": 1,
			"app=test,kind=event,outcome=refused,section=measuredRefuse":    1,
			"app=test,kind=event,outcome=panicked,section=measuredCrash":    1,
			"app=test,kind=event,outcome=overrun,section=measuredHang":      1,
			"app=test,kind=section,outcome=applied,section=add":             1,
		}, o.measured("holdfast_section_duration"))
		require.Equal(t, map[string]int64{"app=test,section=increment": 1}, o.measured("holdfast_ledger_hits"))
		require.Equal(t, map[string]int64{"app=test": 7}, o.measured("holdfast_lock_wait"))
	})
}

func TestALostLockAndAFaultAreToldApart(t *testing.T) {
	t.Parallel()
	for outcome, fault := range map[string]error{"expired": holdfast.ErrLockExpired, "failed": errors.New("the disk is full")} {
		o := newObserved(t)
		o.reader = sdkmetric.NewManualReader()
		service := state.Open(&failing{Driver: memory.New(), err: fault}, state.Options{
			MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(o.reader)),
		})
		_, err := service.Apply(t.Context(), o.call(increment, "", ""))
		require.ErrorIs(t, err, fault)
		require.Equal(t, map[string]int64{"app=test,kind=other,outcome=" + outcome + ",section=increment": 1},
			o.measured("holdfast_section_duration"))
		require.NoError(t, service.Close())
	}
}

// failing is a driver whose commits fail.
type failing struct {
	state.Driver
	err error
}

type failingHold struct {
	state.Held
	err error
}

func (f *failing) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	held, err := f.Driver.Acquire(ctx, claim)
	return failingHold{held, f.err}, err
}

func (f failingHold) Commit(context.Context, *state.Commit) error { return f.err }

func TestTasksAreCountedAsTheyBeginAndEnd(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	o.apply(startTwo, "", "")
	one, other := o.taskID(0), o.taskID(1)
	_, err := o.TasksStarted(t.Context(), session, one)
	require.NoError(t, err)
	_, err = o.TasksStarted(t.Context(), session, one) // a relay that does it again
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"app=test,task=task": 1}, o.measured("holdfast_tasks_started"))

	require.NoError(t, o.TaskEnded(t.Context(), session, one, "run", ""))
	require.NoError(t, o.TaskEnded(t.Context(), session, one, "run", ""))
	require.NoError(t, o.TaskEnded(t.Context(), session, other, "run", "no luck")) // before its start was noted
	require.Equal(t, map[string]int64{"app=test,task=task": 1, "app=test,task=taskWith": 1}, o.measured("holdfast_tasks_started"))

	o.apply(startNewest, "", "1")
	first := o.newestID()
	_, err = o.TasksStarted(t.Context(), session, first)
	require.NoError(t, err)
	o.apply(startNewest, "", "2") // waits for the first
	o.apply(startNewest, "", "3") // and is superseded before it began
	require.NoError(t, o.TaskEnded(t.Context(), session, first, "run", ""))
	require.NoError(t, o.TaskEndedAs(t.Context(), session, o.newestID(), "", state.EndingRefused, "too large"))
	require.Equal(t, map[string]int64{
		"app=test,outcome=completed,task=task":   1,
		"app=test,outcome=failed,task=taskWith":  1,
		"app=test,outcome=cancelled,task=newest": 2,
		"app=test,outcome=refused,task=newest":   1,
	}, o.measured("holdfast_tasks_ended"))
	require.Equal(t, int64(1), o.measured("holdfast_tasks_started")["app=test,task=newest"], "what was refused, or superseded, never began")
}

// newestID is the last task of the list that lives.
func (o *observedBench) newestID() (id holdfast.TaskID) {
	for _, t := range o.snapshot().Tasks {
		if t.Live() {
			id = t.ID
		}
	}
	return id
}

func TestWhatASectionCausesBelongsToItsTrace(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	ctx, caller := o.tracer.Start(t.Context(), "caller")
	_, err := o.Apply(ctx, o.call(startTwo, "1", ""))
	require.NoError(t, err)
	caller.End()
	span := o.spans.Ended()[0]
	require.Equal(t, "section test.startTwo", span.Name())
	require.Equal(t, caller.SpanContext().SpanID(), span.Parent().SpanID())
	require.Subset(t, span.Attributes(), []attribute.KeyValue{
		attribute.String("holdfast.app", "test"), attribute.String("holdfast.session", string(session)),
		attribute.String("holdfast.kind", "other"), attribute.String("holdfast.outcome", "applied"), attribute.Int64("holdfast.revision", 1),
	})
	want := "00-" + span.SpanContext().TraceID().String() + "-" + span.SpanContext().SpanID().String() + "-01"
	rows, err := o.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, []string{want, want}, []string{rows[0].Trace, rows[1].Trace})

	reader := o.Follow(o.app, session, &state.Position{})
	defer reader.Close()
	update, err := reader.Next(t.Context())
	require.NoError(t, err)
	require.NotNil(t, update.Snapshot, "the first change makes the session")
	_, err = o.Apply(ctx, o.call(increment, "2", ""))
	require.NoError(t, err)
	update, err = reader.Next(t.Context())
	require.NoError(t, err)
	require.Contains(t, update.Change.Trace, caller.SpanContext().TraceID().String())
	require.WithinRange(t, update.Change.At, span.StartTime().Add(-time.Minute), time.Now())
}

func TestWithoutATracerNothingOfATraceIsStored(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	ctx, span := sdktrace.NewTracerProvider().Tracer("somebody's").Start(t.Context(), "caller")
	defer span.End()
	_, err := b.Apply(ctx, b.call(startTwo, "", ""))
	require.NoError(t, err)
	rows, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, rows[0].Trace)
}
