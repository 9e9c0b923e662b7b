package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// connected asks the state service, which the starters tell of each page at once, whether a
// page is connected after all: signals may have been lost or refused, or be late after an
// outage of Temporal that was longer than the time to live. While the state service is away
// there is no answer, and the task goes on.
func (w *watcher) connected(ctx workflow.Context) bool {
	if w.run.level < wire.LevelAsksForPages {
		return false
	}
	options := sectionOptions("is a page connected after all?")
	options.HeartbeatTimeout, options.WaitForCancellation = 0, false
	var present []string
	asked := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, options), wire.Present, wire.PresentInput{Session: w.run.session})
	if err := asked.Get(ctx, &present); err != nil {
		return false // cancelled
	}
	w.answered(workflow.Now(ctx), present)
	w.drain(ctx)                      // what has been signalled meanwhile is newer than the answer
	return !w.over(workflow.Now(ctx)) // who has gone since then has the whole grace period
}

func (w *watcher) answered(now time.Time, present []string) {
	for _, starter := range present {
		w.state.Beats[starter] = now
	}
	w.look(now)
}
