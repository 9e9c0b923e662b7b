package workflows_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

func ring(_ *holdfast.Tx, s *State, line string) error { s.Log = append(s.Log, line); return nil }
func other(workflow.Context, int) error                { return nil }
func double(_ context.Context, n int) (int, error)     { return 2 * n, nil }
func broken(context.Context) error {
	return temporal.NewNonRetryableApplicationError("out of paper", "Paper", nil)
}

func TestATaskStartsAndTriggers(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		if err := workflows.Trigger(ctx, ring, "one"); err != nil {
			return err
		}
		if err := workflows.Start(ctx, other, 2); err != nil {
			return err
		}
		return workflows.Trigger(ctx, ring, "three")
	}
	b := newBench(t, holdfast.Named("Task", task), other)
	b.app.Events(ring)
	b.again()
	require.NoError(t, b.run("Task", wire.TaskInput{}))
	rows, err := b.service.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, []string{"ring", "other", "ring"}, []string{rows[0].Name, rows[1].Name, rows[2].Name})
	require.JSONEq(t, `"three"`, string(rows[2].Argument))
}

func TestATaskThatCallsWhatItShouldStartIsTold(t *testing.T) {
	t.Parallel()
	for says, task := range map[string]any{
		"start it with tx.Start or workflows.Start":       func(ctx workflow.Context) error { return workflows.Trigger(ctx, other, 1) },
		"trigger it with tx.Trigger or workflows.Trigger": func(ctx workflow.Context) error { return workflows.Start(ctx, ring, "x") },
		"add it with app.Activities": func(ctx workflow.Context) error {
			_, err := workflows.Step[int](ctx, func(context.Context) (int, error) { return 0, nil })
			return err
		},
		"add it with app.States": func(ctx workflow.Context) error {
			_, err := workflows.Read[struct{ X int }](ctx)
			return err
		},
	} {
		b := newBench(t, holdfast.Named("Task", task), other)
		b.app.Events(ring)
		b.again()
		require.ErrorContains(t, b.run("Task", wire.TaskInput{}), says)
	}
}

func TestAStepIsNotRunAgainAndAReadIsACopy(t *testing.T) {
	t.Parallel()
	calls := 0
	task := func(ctx workflow.Context) error {
		doubled, err := workflows.Step[int](ctx, double, 21)
		if err != nil {
			return err
		}
		if err := workflows.DoWith(ctx, note, "before"); err != nil {
			return err
		}
		state, err := workflows.Read[State](ctx)
		if err != nil {
			return err
		}
		state.Log[0] = "changed"
		if doubled != 42 || state.Counter != 0 {
			return errors.New("a carried result is another")
		}
		return workflows.Every(ctx, 0, upTo3)
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.app.Activities(double)
	b.again()
	b.started = func(name string) {
		if name == "test.double" || name == wire.Read {
			calls++
		}
	}
	_, err := b.chain()
	require.NoError(t, err)
	require.Equal(t, 2, calls, "each once, over all runs")
	require.Equal(t, State{Counter: 3, Log: []string{"before"}}, b.state())
}

func TestAStepsErrorIsTheActivitys(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		_, err := workflows.Step[any](ctx, broken)
		return err
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.app.Activities(broken)
	b.again()
	var failed *temporal.ApplicationError
	require.ErrorAs(t, b.run("Task", wire.TaskInput{}), &failed)
	require.Equal(t, "Paper", failed.Type())
}
