package workflows

import (
	"encoding/json"
	"time"

	"go.temporal.io/sdk/workflow"
)

// sleepStep is the name under which a finished sleep is remembered.
const sleepStep = "sleep"

// Sleep pauses the task. It is a timer of the server, so it costs nothing while it runs and outlives every process. A
// task that continues as new later does not sleep again. The error is a *temporal.CanceledError when the task is cancelled.
// A server that is not tuned for it rounds a sleep up to about a second.
func Sleep(ctx workflow.Context, pause time.Duration) error {
	r, err := runOf(ctx, "Sleep")
	if err != nil {
		return err
	}
	_, err = r.step(sleepStep, func(string) (json.RawMessage, error) {
		return nil, timer(ctx, pause, "")
	})
	return err
}

// timer waits for a timer that the Web UI shows with its summary.
func timer(ctx workflow.Context, pause time.Duration, summary string) error {
	if pause <= 0 {
		return ctx.Err()
	}
	return workflow.NewTimerWithOptions(ctx, pause, workflow.TimerOptions{Summary: summary}).Get(ctx, nil)
}
