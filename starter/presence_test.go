package starter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// running begins a task and waits until its page sees it run.
func running(b *bench, p page, event int64) holdfast.TaskID {
	b.t.Helper()
	p.event(event, "Begin", "x")
	for {
		delta := p.want("delta")
		if delta.Tasks == nil {
			continue
		}
		tasks := *delta.Tasks
		if last := tasks[len(tasks)-1]; last.Status == state.StatusRunning {
			return last.ID
		}
	}
}

func TestATaskIsToldAtOnceWhenItsPageGoesAndComesBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Start()
	first, welcome, _ := b.fresh()
	first.event(1, "Increment", nil)
	first.want("delta")
	id := running(b, first, 2)
	started := <-b.temporal.calls
	require.Equal(t, string(id), started.ID)
	second, _ := b.open(map[string]any{"token": welcome.Token, "client": "client01"})
	second.want("snapshot")

	require.NoError(t, first.CloseNow()) // the other is still there
	require.NoError(t, second.CloseNow())
	gone := <-b.temporal.signals
	require.Equal(t, id, gone.task)
	require.False(t, gone.beat.Connected)

	b.open(map[string]any{"token": welcome.Token})
	back := <-b.temporal.signals
	require.Equal(t, signal{id, wire.Heartbeat{Starter: gone.beat.Starter, Connected: true}}, back)
}

func TestATaskThatDoesNotMindIsNotSignalled(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("test", State{})
	app.Events(Begin, Increment)
	app.Tasks(holdfast.With(Task, holdfast.TaskOptions{OnDisconnect: holdfast.ContinueOnDisconnect}))
	b := newBenchOf(t, app)
	b.Start()
	p, welcome, _ := b.fresh()
	p.event(1, "Increment", nil)
	p.want("delta")
	running(b, p, 2)
	require.NoError(t, p.CloseNow())
	again, _ := b.open(map[string]any{"token": welcome.Token})
	again.want("snapshot")
	require.NoError(t, b.Close(t.Context())) // what it does in the background is done
	require.Empty(t, b.temporal.signals)
}

func TestAStarterThatIsClosedLeavesItToTheOthersToSaySo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Start()
	p := b.settled()
	id := running(b, p, 2)
	require.NoError(t, b.Close(t.Context()))
	require.Empty(t, b.temporal.signals, "its pages are about to come back")

	other := benchOn(t, newApp(), b.state, b.temporal)
	other.Start()
	dead := <-b.temporal.signals // when the lease has lapsed
	require.Equal(t, id, dead.task)
	require.False(t, dead.beat.Connected)
}

func TestOnLoadRunsOncePerLoad(t *testing.T) {
	t.Parallel()
	app := newApp()
	app.OnLoad(Load)
	b := newBenchOf(t, app)
	first, welcome, _ := b.fresh()
	loads := func(p page) string {
		p.t.Helper()
		p.event(100, "Increment", nil)
		p.want("ack")
		snapshot, err := b.state.Snapshot(t.Context(), app, holdfast.SessionID(welcome.Session))
		require.NoError(t, err)
		return string(snapshot.States["State"])
	}
	require.JSONEq(t, `{"counter":1,"loads":1}`, loads(first))
	require.NoError(t, first.CloseNow())
	again, _ := b.open(map[string]any{"token": welcome.Token}) // a reconnect of the same load
	require.JSONEq(t, `{"counter":1,"loads":1}`, loads(again), "and its event 100 was applied before")
	reloaded, _ := b.open(map[string]any{"token": welcome.Token, "client": "client01"})
	require.JSONEq(t, `{"counter":2,"loads":2}`, loads(reloaded))
}
