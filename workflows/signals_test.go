package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

// flap signals the task n times from a moment on, every so often. It ends connected.
func (b *bench) flap(n int, from, every time.Duration) {
	b.RegisterDelayedCallback(func() {
		b.SignalWorkflow(wire.SessionHeartbeat, wire.Heartbeat{Starter: "one", Connected: n%2 == 1})
		if n > 1 {
			b.flap(n-1, every, every)
		}
	}, from)
}

func patient() *wire.Disconnect {
	return &wire.Disconnect{Grace: time.Hour, TimeToLive: 3 * time.Minute, Present: []string{"one"}}
}

func TestPause_ContinuesAsNewBeforeTheSignalLimit(t *testing.T) {
	t.Parallel()
	for name, task := range map[string]func(workflow.Context) error{
		"Every": func(ctx workflow.Context) error { return workflows.Every(ctx, 24*time.Hour, upTo3) },
		"Sleep": func(ctx workflow.Context) error {
			if err := workflows.Sleep(ctx, 48*time.Hour); err != nil {
				return err
			}
			for range 3 {
				if _, err := workflows.LockedWith(ctx, add, 1); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, holdfast.Named("Task", task))
			b.flap(2100, time.Hour, time.Second)
			in := wire.TaskInput{Level: wire.Level, Disconnect: patient()}
			began := b.Now()
			next := requireContinues(t, b.run("Task", in))
			require.Less(t, b.Now().Sub(began), 3*time.Hour, "it does not wait for the end of the pause")
			require.NotNil(t, next.Carry.Presence)

			resumed := b.Now()
			b.again()
			b.SetStartTime(resumed)
			next.Disconnect.TimeToLive = 1000 * time.Hour // its page stays
			require.NoError(t, b.run("Task", next))
			require.Equal(t, 3, b.state().Counter)
			require.Equal(t, 48*time.Hour, b.Now().Sub(began).Truncate(time.Hour), "the pause has its length")
		})
	}
}

func TestPause_OfAnEarlierLevelStays(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error { return workflows.Every(ctx, 2*time.Hour, upTo3) }
	b := newBench(t, holdfast.Named("Task", task))
	b.flap(2100, time.Minute, time.Second)
	in := wire.TaskInput{Level: wire.LevelCountsSignals - 1, Disconnect: patient()}
	in.Disconnect.TimeToLive = 10 * time.Hour
	require.NoError(t, b.run("Task", in))
}

func TestStep_OutlivesTheSignalLimit(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		// The environment counts the heartbeat time-out in real time, which a loaded machine may take for the signals.
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{HeartbeatTimeout: time.Hour})
		_, err := workflows.Step[struct{}](ctx, work)
		return err
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.app.Activities(work)
	b.again()
	b.OnActivity("test.work", mockAny).After(24 * time.Hour).Return(nil)
	b.flap(9000, time.Minute, 3*time.Second) // and then Temporal refuses: silence, although the page is there
	in := wire.TaskInput{Level: wire.Level, Disconnect: patient()}
	in.Disconnect.Grace = time.Minute
	require.NoError(t, b.run("Task", in))
}

func TestTask_TellsItsFinallySectionsBeforeItWaits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wait func(workflow.Context) error
		told int
	}{
		"Sleep":           {func(ctx workflow.Context) error { return workflows.Sleep(ctx, time.Hour) }, 1},
		"Step":            {func(ctx workflow.Context) error { _, err := workflows.Step[struct{}](ctx, work); return err }, 1},
		"Read":            {func(ctx workflow.Context) error { _, err := workflows.Read[State](ctx); return err }, 1},
		"a section names": {func(ctx workflow.Context) error { return workflows.Every(ctx, time.Hour, upTo3) }, 0},
		"nothing":         {func(workflow.Context) error { return nil }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := func(ctx workflow.Context) error {
				workflows.Finally(ctx, endedFirst)
				workflows.Finally(ctx, ended)
				if err := c.wait(ctx); err != nil {
					return err
				}
				return c.wait(ctx)
			}
			b := newBench(t, holdfast.Named("Task", task))
			b.app.Activities(work)
			b.again()
			var told []wire.RegisterInput
			b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, args encodedValues) {
				if info.ActivityType.Name == wire.Register {
					var in wire.RegisterInput
					require.NoError(t, args.Get(&in))
					told = append(told, in)
				}
			})
			b.OnActivity(wire.Register, mockAny, mockAny).Return(nil)
			require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
			require.Len(t, told, c.told)
			for _, in := range told {
				require.Equal(t, []string{"endedFirst", "ended"}, in.Finally)
			}
		})
	}
}
