package workflows_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

// chain runs a task through as many runs as it takes, with the server suggesting to continue as new all the time.
func (b *bench) chain() (runs int, err error) {
	in := wire.TaskInput{Level: b.level}
	for {
		runs++
		b.SetContinueAsNewSuggested(true)
		if b.eachRun != nil {
			b.eachRun()
		}
		err = b.run("Task", in)
		var next *workflow.ContinueAsNewError
		if !errors.As(err, &next) {
			return runs, err
		}
		require.Equal(b.t, "test.Task", next.WorkflowType.Name)
		in = wire.TaskInput{}
		require.NoError(b.t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
		b.again()
	}
}

// requireContinues returns the input of the next run.
func requireContinues(t *testing.T, err error) (in wire.TaskInput) {
	t.Helper()
	var next *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &next)
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(next.Input, &in))
	return in
}

func TestALoopContinuesAsNewAndLosesNothing(t *testing.T) {
	t.Parallel()
	slept := 0
	task := func(ctx workflow.Context) error {
		total, err := workflows.LockedWith(ctx, add, 1)
		if err != nil {
			return err
		}
		if total != 1 {
			return errors.New("the first section was run again")
		}
		before := workflow.Now(ctx)
		if err := workflows.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		if workflow.Now(ctx).Sub(before) == time.Hour {
			slept++
		}
		workflows.Finally(ctx, ended)
		if err := workflows.Every(ctx, time.Second, upTo3); err != nil { // 2, 3
			return err
		}
		if err := workflows.DoWith(ctx, note, "between"); err != nil {
			return err
		}
		return workflows.Every(ctx, time.Second, upTo9) // 4 to 9
	}
	b := newBench(t, holdfast.Named("Task", task))
	runs, err := b.chain()
	require.NoError(t, err)
	require.Greater(t, runs, 3)
	require.Equal(t, 1, slept)
	require.Equal(t, State{Counter: 9, Log: []string{"between", "ended"}}, b.state(), "each section once, Finally only at the end")
}

func TestATaskThatKeepsTheErrorToItselfContinuesAsNewAllTheSame(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		_ = workflows.Every(ctx, time.Second, upTo9)
		_ = workflows.DoWith(ctx, note, "after")
		return nil
	}
	b := newBench(t, holdfast.Named("Task", task))
	_, err := b.chain()
	require.NoError(t, err)
	require.Equal(t, State{Counter: 9, Log: []string{"after"}}, b.state())
}

func TestAnotherWayUpToTheLoopIsNoticed(t *testing.T) {
	t.Parallel()
	run := 0
	task := func(ctx workflow.Context) error {
		if run++; run == 1 {
			if err := workflows.Sleep(ctx, time.Second); err != nil {
				return err
			}
		} else if err := workflows.DoWith(ctx, note, "x"); err != nil {
			return err
		}
		return workflows.Every(ctx, time.Second, upTo9)
	}
	b := newBench(t, holdfast.Named("Task", task))
	_, err := b.chain()
	require.ErrorContains(t, err, `step 1 of task test.Task was "sleep"`)
}

func TestATaskThatNearsTheHistorysLimitSaysSoOnce(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		for range 3 {
			if err := workflows.DoWith(ctx, note, "x"); err != nil {
				return err
			}
		}
		return nil
	}
	for length, warnings := range map[int]int{9_999: 0, 10_000: 1} {
		var log bytes.Buffer
		b := newBench(t, holdfast.Named("Task", task))
		b.log = slog.NewTextHandler(&log, nil)
		b.again()
		b.SetCurrentHistoryLength(length)
		require.NoError(t, b.run("Task", wire.TaskInput{}))
		require.Equal(t, warnings, strings.Count(log.String(), "the task's history nears the server's limit"))
	}
}
