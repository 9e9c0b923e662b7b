package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// Step runs an ordinary Temporal activity that is registered with app.Activities, and gives its result: work that is neither
// quick nor under a lock. Unlike one that is called through the SDK it is remembered when the task continues as new, and not run
// again. As with any activity it is retried, so it may run more than once; in it, activities.Session reports progress.
//
// Options come from workflow.WithActivityOptions; what they leave at zero has a default:
//
//   - StartToCloseTimeout is an hour, unless ScheduleToCloseTimeout is set.
//   - HeartbeatTimeout is 5 s, and the worker beats for the activity until it returns. So a worker that dies is
//     noticed within seconds, and an activity need not beat. With a HeartbeatTimeout of the author's the worker beats
//     between the activity's own beats only: one that is silent for longer than the time-out is retried.
//   - RetryPolicy retries until the activity succeeds or fails with an error that is not to be retried
//     (temporal.NewNonRetryableApplicationError).
//
// When the task is cancelled, or superseded, the activity's context ends within a second, and Step waits until the
// activity has returned, so that nothing of it runs beside or after the task's Finally sections. An activity that
// does not look at its context holds up the end of its task; its Session refuses to change the state then.
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
	out, err := r.step(ctx, name, func(string) (out json.RawMessage, err error) {
		if err := r.tell(ctx); err != nil {
			return nil, err
		}
		defer r.outstanding()()
		ctx := r.withStepOptions(ctx)
		err = r.whenCancelled(ctx, workflow.ExecuteActivity(ctx, name, args...).Get(ctx, &out))
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

// withStepOptions completes the author's options field by field.
func (r *run) withStepOptions(ctx workflow.Context) workflow.Context {
	set := workflow.GetActivityOptions(ctx)
	if set.StartToCloseTimeout == 0 && set.ScheduleToCloseTimeout == 0 {
		set.StartToCloseTimeout, set.WaitForCancellation = time.Hour, true
	}
	if set.HeartbeatTimeout == 0 && ctx.Value(homeKey{}) != nil { // its worker beats; others are of the same program
		set.HeartbeatTimeout = wire.StepHeartbeat
	}
	if r.level >= wire.LevelEndsCalls {
		set.WaitForCancellation = true
	}
	return workflow.WithActivityOptions(ctx, set)
}
