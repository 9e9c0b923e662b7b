package workflows

import (
	"errors"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

type inlineKey struct{}

// unbounded is how long a local activity may be retried. The SDK takes StartToCloseTimeout, which is for one
// attempt, where nothing is set.
const unbounded = 100 * 365 * 24 * time.Hour

// Inline returns a context for hot loops: what is called with it runs as local activities, inside the worker's turn, and sleeps
// shorter than a threshold are spent there too. A section costs a millisecond instead of fifteen, and one event of the history
// instead of six.
//
// What is promised stays: the ledger applies each section once, also when the worker dies in the middle of a turn and another runs
// the whole turn again. What is given up: the Web UI shows sections as markers, without their input, and a task that is in
// the middle of a turn learns of a cancellation, and of a page that has gone, at its end only: within four fifths of the
// workflow task time-out. That is 1.6 s in a task that is registered with [holdfast.TaskOptions].Inline, which runs like this
// from beginning to end, and by default 8 s (temporal.workflow_task_timeout of 10 s) in any other task that calls Inline.
//
// When the store is away, an inline section is retried without end, as a regular one is.
func Inline(ctx workflow.Context) workflow.Context { return workflow.WithValue(ctx, inlineKey{}, true) }

func (r *run) inlined(ctx workflow.Context) bool {
	inline, _ := ctx.Value(inlineKey{}).(bool)
	return inline || r.inline
}

// executeInline runs one of our activities as a local one. A cancelled task does not begin one, and waits for one that has
// begun: otherwise it could be applied after the Finally sections.
func (r *run) executeInline(ctx workflow.Context, name string, in any, summary string, result any) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	r.eventsOf(workflow.GetInfo(ctx))
	r.local++
	regular := sectionOptions(summary)
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: unbounded,
		StartToCloseTimeout:    regular.StartToCloseTimeout, RetryPolicy: regular.RetryPolicy, Summary: summary,
	})
	err := workflow.ExecuteLocalActivity(ctx, name, in).Get(ctx, result)
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == wire.ErrorForgotten {
		panic(&forgotten{app})
	}
	return err
}

// forgotten is the panic of an inline call whose outcome the ledger no longer knows. Its worker was away while another went
// on with the task, so what happens next is not this worker's to decide: it may not end the task, not run its Finally
// sections. The panic fails the workflow task, which Temporal refuses from such a worker.
//
// A task that was reset to a point so long ago fails its workflow task again and again, which the Web UI shows.
type forgotten struct{ error }

// napFor sleeps in the worker.
func (r *run) napFor(ctx workflow.Context, pause time.Duration) error {
	r.eventsOf(workflow.GetInfo(ctx))
	r.local++
	const slack = 10 * time.Second // for a machine that is busy
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		ScheduleToCloseTimeout: unbounded,
		StartToCloseTimeout:    pause + slack, RetryPolicy: &temporal.RetryPolicy{InitialInterval: pause},
	})
	return workflow.ExecuteLocalActivity(ctx, wire.Nap, pause).Get(ctx, nil)
}
