package workflows_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

func TestTheAppIsToldOfATaskThatFailed(t *testing.T) {
	t.Parallel()
	for kind, task := range map[string]func(workflow.Context) error{
		wire.ErrorSection: func(ctx workflow.Context) error { return workflows.Do(ctx, refuse) },
		wire.ErrorPanic:   func(ctx workflow.Context) error { return workflows.Do(ctx, crash) },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var told []holdfast.Failure
			b := newBench(t, holdfast.Named("Task", task))
			b.app.OnError(
				func(context.Context, holdfast.Failure) { panic("a hook's own fault") },
				func(_ context.Context, f holdfast.Failure) { told = append(told, f) },
			)
			require.Error(t, b.run("Task", wire.TaskInput{}))
			require.Len(t, told, 1)
			require.Equal(t, session, told[0].Session)
			require.Equal(t, "Task", told[0].Name)
			require.Equal(t, kind, told[0].Kind)
			require.NotEmpty(t, told[0].Message)
			require.Equal(t, kind == wire.ErrorPanic, told[0].Stack != "")
		})
	}
}

func TestTheAppIsNotToldOfATaskThatEndedWellOrWasCancelled(t *testing.T) {
	t.Parallel()
	told := func(context.Context, holdfast.Failure) { t.Error("it was told") }
	b := newBench(t, holdfast.Named("Task", func(ctx workflow.Context) error { return workflows.DoWith(ctx, note, "x") }))
	b.app.OnError(told)
	require.NoError(t, b.run("Task", wire.TaskInput{}))

	b = newBench(t, holdfast.Named("Task", func(ctx workflow.Context) error { return workflows.Every(ctx, 0, forever) }))
	b.app.OnError(told)
	b.RegisterDelayedCallback(b.CancelWorkflow, 0)
	require.Error(t, b.run("Task", wire.TaskInput{}))
}
