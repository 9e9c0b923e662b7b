package workflows_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/workflows"
)

// TestStep_RefusedAsCancelledIsNoFailure: the state service knows of a cancellation first. A
// report that it refuses then ends the activity before the cancellation has reached the workflow.
func TestStep_RefusedAsCancelledIsNoFailure(t *testing.T) {
	t.Parallel()
	var b *bench
	work := func(ctx context.Context) error {
		s, err := activities.Session(ctx)
		if err != nil {
			return temporal.NewNonRetryableApplicationError(err.Error(), "NoSession", nil)
		}
		if err := s.Apply(ctx, note, "first"); err != nil {
			return err
		}
		id := holdfast.TaskID(activity.GetInfo(ctx).WorkflowExecution.ID)
		if err := b.service.Cancel(ctx, session, state.Key{}, id, "stop"); err != nil {
			return err
		}
		return s.Apply(ctx, note, "second")
	}
	named := holdfast.Named("work", work)
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		_, err := workflows.Step[struct{}](ctx, work)
		return err
	}
	b = newBench(t, holdfast.Named("Task", task))
	b.app.Activities(named)
	var failures []holdfast.Failure
	b.app.OnError(func(_ context.Context, f holdfast.Failure) { failures = append(failures, f) })
	b.again()
	b.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "test.Task-abc-1"})
	err := b.run("Task", wire.TaskInput{Level: wire.Level})
	require.True(t, temporal.IsCanceledError(err), "%v", err)
	require.Equal(t, []string{"first", "ended"}, b.state().Log)
	require.Empty(t, failures)
}
