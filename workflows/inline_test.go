package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

// ways counts how the activities of a task ran.
type ways struct {
	local, regular []string
	timers         int
}

func (b *bench) watchWays() *ways {
	w := &ways{}
	b.SetOnLocalActivityStartedListener(func(info *activityInfo, _ context.Context, _ []any) {
		w.local = append(w.local, info.ActivityType.Name)
	})
	b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, _ encodedValues) {
		w.regular = append(w.regular, info.ActivityType.Name)
	})
	b.SetOnTimerScheduledListener(func(string, time.Duration) { w.timers++ })
	return w
}

func addTwo(_ *holdfast.Tx, s *State, i int) error { s.Counter += 2 + i; return nil }

func TestAnInlineTaskRunsInItsWorker(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		if err := workflows.DoWith(ctx, note, "x"); err != nil {
			return err
		}
		if err := workflows.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		return workflows.Sleep(ctx, time.Second) // not a short one
	}
	b := newBench(t, holdfast.Named("Task", task))
	w := b.watchWays()
	require.NoError(t, b.run("Task", wire.TaskInput{Inline: true, NapBelow: 100 * time.Millisecond, Level: wire.Level}))
	require.Equal(t, []string{"test.note", wire.Nap, "test.ended", wire.TaskEnded}, w.local)
	require.Empty(t, w.regular)
	require.Equal(t, 1, w.timers)
	require.Equal(t, []string{"x", "ended"}, b.state().Log)
}

func TestASingleCallCanBeInline(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		if err := workflows.DoWith(ctx, note, "regular"); err != nil {
			return err
		}
		return workflows.DoWith(workflows.Inline(ctx), note, "inline")
	}
	b := newBench(t, holdfast.Named("Task", task))
	w := b.watchWays()
	require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
	require.Equal(t, []string{"test.note"}, w.local)
	require.Equal(t, []string{"test.note", wire.TaskEnded}, w.regular)
}

func TestAnInlineSectionsErrorEndsTheTask(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error { return workflows.Do(workflows.Inline(ctx), refuse) }
	b := newBench(t, holdfast.Named("Task", task))
	err := b.run("Task", wire.TaskInput{})
	var failed *temporal.ApplicationError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, wire.ErrorSection, failed.Type())
	require.ErrorContains(t, err, "no more seats")
}

func TestTimesCountsItsIterations(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		began := workflow.Now(ctx)
		if err := workflows.Times(ctx, 3, time.Minute, addTwo); err != nil {
			return err
		}
		if workflow.Now(ctx).Sub(began) != 2*time.Minute {
			return errors.New("it pauses between the iterations alone")
		}
		return workflows.Times(ctx, 0, 0, addTwo)
	}
	b := newBench(t, holdfast.Named("Task", task))
	require.NoError(t, b.run("Task", wire.TaskInput{}))
	require.Equal(t, 2+3+4, b.state().Counter)

	wrong := func(ctx workflow.Context) error { return workflows.Times(ctx, -1, 0, addTwo) }
	b = newBench(t, holdfast.Named("Task", wrong))
	require.ErrorContains(t, b.run("Task", wire.TaskInput{}), "-1 iterations every 0s; expected 0 or more of both")
}

func TestTimesGoesOnAfterContinueAsNew(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error { return workflows.Times(ctx, 5, 0, addTwo) }
	b := newBench(t, holdfast.Named("Task", task))
	runs, err := b.chain()
	require.NoError(t, err)
	require.Equal(t, 5, runs)
	require.Equal(t, 2+3+4+5+6, b.state().Counter)
}

func TestACheckpointCarriesTheLoopsVariables(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		if err := workflows.DoWith(ctx, note, "before"); err != nil {
			return err
		}
		at := struct{ Turn, Sum int }{}
		for at.Turn < 4 {
			if err := workflows.Checkpoint(ctx, &at); err != nil {
				return err
			}
			total, err := workflows.LockedWith(ctx, add, at.Turn)
			if err != nil {
				return err
			}
			at.Turn, at.Sum = at.Turn+1, at.Sum+total
		}
		if at.Sum != 0+1+3+6 {
			return errors.New("the loop did not go on where it was")
		}
		return workflows.DoWith(ctx, note, "after")
	}
	b := newBench(t, holdfast.Named("Task", task))
	runs, err := b.chain()
	require.NoError(t, err)
	require.Equal(t, 4, runs)
	require.Equal(t, State{Counter: 6, Log: []string{"before", "after"}}, b.state())
}

func TestASleepContinuesAsNew(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		for i := range 3 {
			if _, err := workflows.LockedWith(ctx, add, i); err != nil {
				return err
			}
			if err := workflows.Sleep(ctx, time.Hour); err != nil {
				return err
			}
		}
		return nil
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.level = wire.Level
	runs, err := b.chain()
	require.NoError(t, err)
	require.Equal(t, 4, runs)
	require.Equal(t, 3, b.state().Counter)

	b = newBench(t, holdfast.Named("Task", task)) // as it was started by a program that did not know of this
	runs, err = b.chain()
	require.NoError(t, err)
	require.Equal(t, 1, runs)
}
