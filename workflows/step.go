package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/workflow"
)

// Step runs an ordinary Temporal activity that is registered with app.Activities, and gives its result: work that is neither
// quick nor under a lock. Unlike one that is called through the SDK it is remembered when the task continues as new, and not run
// again. As with any activity it is retried, so it may run more than once; in it, activities.Session reports progress.
//
// Options come from workflow.WithActivityOptions. Without any it may take an hour, must beat every 30 s (activity.RecordHeartbeat)
// and is retried until it succeeds or fails with an error that is not to be retried (temporal.NewNonRetryableApplicationError).
func Step[R any](ctx workflow.Context, activity any, args ...any) (R, error) {
	var result R
	r, err := runOf(ctx, "Step")
	if err != nil {
		return result, err
	}
	name, err := r.task.App().Activity(activity)
	if err != nil {
		return result, misuse("workflows.Step: %v", err)
	}
	out, err := r.step(name, func(string) (out json.RawMessage, err error) {
		ctx := withStepOptions(ctx)
		err = workflow.ExecuteActivity(ctx, name, args...).Get(ctx, &out)
		return out, err
	})
	if err != nil || len(out) == 0 {
		return result, err
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return result, misuse("workflows.Step: the result of %s: %v", name, err)
	}
	return result, nil
}

func withStepOptions(ctx workflow.Context) workflow.Context {
	set := workflow.GetActivityOptions(ctx)
	if set.StartToCloseTimeout != 0 || set.ScheduleToCloseTimeout != 0 {
		return ctx
	}
	set.StartToCloseTimeout, set.HeartbeatTimeout = time.Hour, 30*time.Second
	set.WaitForCancellation = true
	return workflow.WithActivityOptions(ctx, set)
}
