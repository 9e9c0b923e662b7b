package workflows_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

func work(context.Context) error { return nil }

func TestStep_CompletesOptionsFieldByField(t *testing.T) {
	t.Parallel()
	type timeouts struct{ startToClose, scheduleToClose, heartbeat time.Duration }
	for name, c := range map[string]struct {
		set  workflow.ActivityOptions
		want timeouts
	}{
		"none":              {workflow.ActivityOptions{}, timeouts{time.Hour, 0, wire.StepHeartbeat}},
		"a heartbeat alone": {workflow.ActivityOptions{HeartbeatTimeout: time.Minute}, timeouts{time.Hour, 0, time.Minute}},
		"a policy alone": {
			workflow.ActivityOptions{RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}},
			timeouts{time.Hour, 0, wire.StepHeartbeat},
		},
		"a time for one attempt": {
			workflow.ActivityOptions{StartToCloseTimeout: 2 * time.Minute},
			timeouts{2 * time.Minute, 0, wire.StepHeartbeat},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := func(ctx workflow.Context) error {
				_, err := workflows.Step[struct{}](workflow.WithActivityOptions(ctx, c.set), work)
				return err
			}
			b := newBench(t, holdfast.Named("Task", task))
			b.app.Activities(work)
			b.again()
			var got timeouts
			b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, _ encodedValues) {
				if info.ActivityType.Name == "test.work" {
					got = timeouts{startToClose: info.StartToCloseTimeout, heartbeat: info.HeartbeatTimeout}
				}
			})
			require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
			require.Equal(t, c.want, got)
		})
	}
}

// reporting changes the state from within an activity.
func reporting(ctx context.Context) error {
	s, err := activities.Session(ctx)
	if err != nil {
		return temporal.NewNonRetryableApplicationError(err.Error(), "NoSession", nil)
	}
	return s.Apply(ctx, note, "reported by "+activity.GetInfo(ctx).ActivityType.Name)
}

func TestStep_ReportsByItsSessionAfterRegisterAlone(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		_, err := workflows.Step[struct{}](ctx, reporting)
		return err
	}
	b := newBench(t, holdfast.Named("Task", task))
	b.app.Activities(reporting)
	b.again()
	b.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: "test.Task-abc-1"})
	require.NoError(t, b.run("Task", wire.TaskInput{Level: wire.Level}))
	require.Equal(t, []string{"reported by test.reporting"}, b.state().Log)
}
