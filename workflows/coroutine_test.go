package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

func TestCoroutine_ChangesNothingAfterFinally(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]wire.TaskInput{"regular": {}, "inline": {Inline: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var refused error
			task := func(ctx workflow.Context) error {
				workflows.Finally(ctx, ended)
				workflow.Go(ctx, func(ctx workflow.Context) {
					_ = workflows.Every(ctx, time.Second, forever)
					free, _ := workflow.NewDisconnectedContext(ctx)
					refused = workflows.DoWith(free, note, "stray")
				})
				return workflows.Sleep(ctx, 5*time.Second)
			}
			b := newBench(t, holdfast.Named("Task", task))
			in.Level = wire.Level
			require.NoError(t, b.run("Task", in))
			require.Equal(t, []string{"ended"}, b.state().Log)
			require.ErrorContains(t, refused, "workflows.DoWith is called after the task's function has returned")
		})
	}
}

func TestCoroutine_CallIsAwaitedBeforeFinally(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		workflow.Go(ctx, func(ctx workflow.Context) {
			free, _ := workflow.NewDisconnectedContext(ctx)
			_ = workflows.DoWith(free, note, "late")
		})
		return workflow.Sleep(ctx, 0)
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.OnActivity("test.note", mockAny, mockAny).After(time.Hour).Return(nil, nil)
	began := b.Now()
	var waited time.Duration
	b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, _ encodedValues) {
		if info.ActivityType.Name == "test.ended" {
			waited = b.Now().Sub(began)
		}
	})
	require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
	require.Equal(t, time.Hour, waited.Truncate(time.Hour), "Finally comes after the coroutine's section")
}

func TestCoroutine_PanicFailsTheTask(t *testing.T) {
	t.Parallel()
	for name, rest := range map[string]func(workflow.Context) error{
		"while the function sleeps": func(ctx workflow.Context) error { return workflows.Sleep(ctx, time.Hour) },
		"while the function waits for good": func(ctx workflow.Context) error {
			workflow.NewChannel(ctx).Receive(ctx, nil)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := func(ctx workflow.Context) error {
				workflows.Finally(ctx, ended)
				workflow.Go(ctx, func(ctx workflow.Context) {
					_ = workflows.Sleep(ctx, time.Second)
					panic("lost")
				})
				return rest(ctx)
			}
			b := newBench(t, holdfast.Named("Task", task))
			err := b.run("Task", wire.TaskInput{Level: wire.Level})
			var failed *temporal.ApplicationError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, wire.ErrorPanic, failed.Type())
			require.Equal(t, "test.Task panicked: lost", failed.Message())
			require.Equal(t, []string{"ended"}, b.state().Log)
		})
	}
}

func TestTask_OwnContinueAsNewIsRefused(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		return workflow.NewContinueAsNewError(ctx, "test.Task")
	}
	b := newBench(t, holdfast.Named("Task", task))
	err := b.run("Task", wire.TaskInput{Level: wire.Level})
	var failed *temporal.ApplicationError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, wire.ErrorMisuse, failed.Type())
	require.ErrorContains(t, err, "continues as new by workflows.Every, workflows.Checkpoint or workflows.Sleep")
	require.Equal(t, []string{"ended"}, b.state().Log)
}
