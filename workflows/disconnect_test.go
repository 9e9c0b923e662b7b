package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

const (
	grace = 10 * time.Second
	ttl   = 3 * time.Minute
)

// attended is the input of a task whose page is connected to the starters.
func attended(starters ...string) wire.TaskInput {
	return wire.TaskInput{Disconnect: &wire.Disconnect{Grace: grace, TimeToLive: ttl, Present: starters}}
}

// beat signals the task at a time after its start.
func (b *bench) beat(at time.Duration, starter string, connected bool) {
	b.RegisterDelayedCallback(func() {
		b.SignalWorkflow(wire.SessionHeartbeat, wire.Heartbeat{Starter: starter, Connected: connected})
	}, at)
}

// idle is a task that waits until it is cancelled, notes how long that took and why, and hands the error on.
func idle(took *time.Duration, cause *error) func(workflow.Context) error { //nolint:gocritic // the caller reads it
	return func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		began := workflow.Now(ctx)
		err := workflows.Sleep(ctx, 24*time.Hour)
		*took, *cause = workflow.Now(ctx).Sub(began), workflows.Cause(ctx)
		return err
	}
}

func TestATaskIsCancelledWhenItsPageHasGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    wire.TaskInput
		beats func(*bench)
		took  time.Duration
	}{
		"nobody was there from the start": {attended(), func(*bench) {}, grace},
		"the page is closed": {attended("one"), func(b *bench) {
			b.beat(time.Minute, "one", false)
		}, time.Minute + grace},
		"back within the grace period": {attended("one"), func(b *bench) {
			b.beat(time.Minute, "one", false)
			b.beat(time.Minute+grace-time.Second, "one", true)
			b.beat(2*time.Minute, "one", false)
		}, 2*time.Minute + grace},
		"back at another starter": {attended("one"), func(b *bench) {
			b.beat(time.Minute, "two", true)
			b.beat(time.Minute+time.Second, "one", false)
			b.beat(2*time.Minute, "two", false)
		}, 2*time.Minute + grace},
		"no beat for the time to live": {attended("one"), func(*bench) {}, ttl + grace},
		"no beat since a while": {attended("one"), func(b *bench) {
			b.beat(time.Minute, "one", true)
		}, time.Minute + ttl + grace},
		"one of two starters dies": {attended("one", "two"), func(b *bench) {
			b.beat(2*time.Minute, "two", true)
		}, 2*time.Minute + ttl + grace},
		"a signal of somebody else's": {attended("one"), func(b *bench) {
			b.RegisterDelayedCallback(func() { b.SignalWorkflow(wire.SessionHeartbeat, "hello") }, time.Second)
			b.beat(time.Minute, "one", false)
		}, time.Minute + grace},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var took time.Duration
			var cause error
			b := newBench(t, holdfast.Named("Task", idle(&took, &cause)))
			c.beats(b)
			err := b.run("Task", c.in)
			require.True(t, temporal.IsCanceledError(err), "%v", err)
			require.ErrorContains(t, err, "canceled")
			require.Equal(t, c.took, took)
			require.ErrorIs(t, cause, workflows.ErrDisconnected)
			require.Equal(t, []string{"ended"}, b.state().Log, "Finally ran")
		})
	}
}

func TestATaskThatContinuesDoesNotMind(t *testing.T) {
	t.Parallel()
	var took time.Duration
	var cause error
	b := newBench(t, holdfast.Named("Task", idle(&took, &cause)))
	b.beat(time.Minute, "one", false)
	require.NoError(t, b.run("Task", wire.TaskInput{}))
	require.Equal(t, 24*time.Hour, took)
	require.NoError(t, cause)
}

// TestAnIdleHourCostsAtMost300Events counts what the watching adds to a history: a signal with its turn is four events, a timer that
// is set anew two, one that fires five.
func TestAnIdleHourCostsAtMost300Events(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error { return workflow.Sleep(ctx, time.Hour) }
	b := newBench(t, holdfast.Named("Task", task))
	const interval = time.Minute + time.Minute/40 // the starter spreads its beats over a minute and a twentieth
	signals, restarts, fired := 0, 0, 0
	for at := interval; at < time.Hour; at += interval {
		b.beat(at, "one", true)
		signals++
	}
	b.SetOnTimerCanceledListener(func(string) { restarts++ })
	b.SetOnTimerFiredListener(func(string) { fired++ })
	require.NoError(t, b.run("Task", attended("one")))
	events := 4*signals + 2*restarts + 5*(fired-1) // one is the task's own
	t.Logf("%d signals, %d restarts, %d looks: %d events", signals, restarts, fired-1, events)
	require.LessOrEqual(t, events, 300)
	require.Less(t, restarts, signals*2/3, "no timer is restarted for each beat")
}

func TestWhatATaskKnowsOfItsPageOutlivesContinueAsNew(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		if err := workflows.Sleep(ctx, 2*time.Second); err != nil {
			return err
		}
		return workflows.Every(ctx, time.Second, forever)
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.SetContinueAsNewSuggested(true)
	b.beat(time.Second, "one", false)
	b.beat(time.Second, "two", true)
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, b.run("Task", attended("one")), &next)
	var in wire.TaskInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	require.Contains(t, in.Carry.Presence.Beats, "two")
	require.NotContains(t, in.Carry.Presence.Beats, "one")
	require.Equal(t, grace, in.Disconnect.Grace)
}
