package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// sleepStep is the name under which a finished sleep is remembered.
const sleepStep = "sleep"

// Sleep pauses the task. It is a timer of the server, so it costs nothing while it runs and outlives every process. A
// task that continues as new later does not sleep again. Where the history has grown long, and not too much has been done
// before, the task continues as new here. The error is a *temporal.CanceledError when the task is cancelled.
// A server that is not tuned for it rounds a sleep up to about a second.
func Sleep(ctx workflow.Context, pause time.Duration) error {
	r, err := runOf(ctx, "Sleep")
	if err != nil {
		return err
	}
	_, err = r.step(ctx, sleepStep, func(string) (json.RawMessage, error) {
		if r.level >= wire.LevelSleepContinues && !inHandler(ctx) && r.worked && len(r.carry.Steps) <= mostSteps && r.long(ctx) {
			return nil, r.leave()
		}
		return nil, r.sleep(ctx, pause)
	})
	return err
}

// mostSteps is how many finished steps a sleep carries over to the next run.
const mostSteps = 500

// sleep notes when the pause ends, so that the next run goes on with what is left of it.
func (r *run) sleep(ctx workflow.Context, pause time.Duration) error {
	if r.level < wire.LevelCountsSignals || inHandler(ctx) {
		return r.pause(ctx, pause, "")
	}
	position := r.position
	ends, ok := r.carry.Wakes[position]
	if !ok {
		ends = workflow.Now(ctx).Add(pause)
	}
	if r.carry.Wakes == nil {
		r.carry.Wakes = map[int]time.Time{}
	}
	r.carry.Wakes[position] = ends
	err := r.pause(ctx, ends.Sub(workflow.Now(ctx)), "")
	if !r.leaving {
		delete(r.carry.Wakes, position)
	}
	return err
}

// leave makes the run continue as new when the task's function has returned.
func (r *run) leave() error {
	r.leaving = true
	return errLeaving
}

// pause sleeps: by a timer of the server, or in the worker where that is worth it. A run that receives many signals meanwhile
// continues as new, before Temporal refuses further ones.
func (r *run) pause(ctx workflow.Context, pause time.Duration, summary string) error {
	if pause <= 0 {
		return ctx.Err()
	}
	if err := r.tell(ctx); err != nil {
		return err
	}
	if pause < r.nap && r.inlined(ctx) {
		return r.napFor(ctx, pause)
	}
	if r.watcher == nil || r.level < wire.LevelCountsSignals || inHandler(ctx) || len(r.carry.Steps) > mostSteps {
		return timer(ctx, pause, summary)
	}
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	err, full := error(nil), false
	selector := workflow.NewSelector(ctx)
	selector.AddFuture(workflow.NewTimerWithOptions(ctx, pause, workflow.TimerOptions{Summary: summary}), func(f workflow.Future) { err = f.Get(ctx, nil) })
	selector.AddFuture(r.watcher.full, func(workflow.Future) { full = true })
	selector.Select(ctx)
	if full && err == nil && ctx.Err() == nil {
		return r.leave()
	}
	return err
}

// timer waits for a timer that the Web UI shows with its summary.
func timer(ctx workflow.Context, pause time.Duration, summary string) error {
	return workflow.NewTimerWithOptions(ctx, pause, workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}
