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
		const most = 500 // steps to carry over
		if r.level >= wire.LevelSleepContinues && !inHandler(ctx) && r.worked && len(r.carry.Steps) <= most && r.long(ctx) {
			r.leaving = true
			return nil, errLeaving
		}
		return nil, r.pause(ctx, pause, "")
	})
	return err
}

// pause sleeps: by a timer of the server, or in the worker where that is worth it.
func (r *run) pause(ctx workflow.Context, pause time.Duration, summary string) error {
	if pause > 0 && pause < r.nap && r.inlined(ctx) {
		return r.napFor(ctx, pause)
	}
	return timer(ctx, pause, summary)
}

// timer waits for a timer that the Web UI shows with its summary.
func timer(ctx workflow.Context, pause time.Duration, summary string) error {
	if pause <= 0 {
		return ctx.Err()
	}
	return workflow.NewTimerWithOptions(ctx, pause, workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}
