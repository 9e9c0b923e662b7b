package tasks

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

// TestStep_HearsOfItsCancellation logs how long a cancellation takes to reach an activity that does not beat.
func TestStep_HearsOfItsCancellation(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]workflow.ActivityOptions{
		"default options":    {},
		"options of its own": {StartToCloseTimeout: time.Minute, HeartbeatTimeout: 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, heard := make(chan struct{}), make(chan time.Time, 1)
			stream := func(ctx context.Context) error {
				close(began)
				<-ctx.Done()
				heard <- time.Now()
				return ctx.Err()
			}
			app := holdfast.NewApp("tasks", State{})
			app.Activities(holdfast.Named("stream", stream))
			app.Tasks(holdfast.Named("Task", func(ctx workflow.Context) error {
				workflows.Finally(ctx, ended)
				_, err := workflows.Step[struct{}](workflow.WithActivityOptions(ctx, set), stream)
				return err
			}))
			b := newBench(t, benchOptions{}, app)
			run := b.start("Task", wire.TaskInput{})
			<-began
			asked := time.Now()
			require.NoError(t, b.client.CancelWorkflow(t.Context(), run.GetID(), ""))
			t.Logf("the activity's context ended after %s", (<-heard).Sub(asked))
			require.ErrorContains(t, run.Get(t.Context(), nil), "canceled")
			require.Equal(t, []string{"ended"}, b.state().Log)
		})
	}
}

// TestStep_WithoutBeatsOutlivesItsHeartbeatTimeout runs an activity that never beats for longer than the time-out.
func TestStep_WithoutBeatsOutlivesItsHeartbeatTimeout(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int32
	work := func(ctx context.Context) error {
		attempts.Add(1)
		timer := time.NewTimer(activity.GetInfo(ctx).HeartbeatTimeout * 5 / 2)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	app := holdfast.NewApp("tasks", State{})
	app.Activities(holdfast.Named("work", work))
	app.Tasks(holdfast.Named("Task", func(ctx workflow.Context) error {
		_, err := workflows.Step[struct{}](ctx, work)
		return err
	}))
	b := newBench(t, benchOptions{}, app)
	require.NoError(t, b.start("Task", wire.TaskInput{}).Get(t.Context(), nil))
	require.Equal(t, int32(1), attempts.Load())
}
