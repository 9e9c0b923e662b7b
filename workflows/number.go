package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// begin numbers a call that the ledger records. Numbers count up from 1 over the whole chain of runs. The
// call is outstanding until [run.answered]. A task of a level that knows no numbers gets 0.
func (r *run) begin() int64 {
	if r.level < wire.LevelNumbersCalls {
		return 0
	}
	r.carry.Calls++
	r.open = append(r.open, r.carry.Calls)
	return r.carry.Calls
}

// answered ends what begin began.
func (r *run) answered(ctx workflow.Context, number int64) {
	r.open = slices.DeleteFunc(r.open, func(n int64) bool { return n == number })
	r.eventsOf(workflow.GetInfo(ctx)) // notices that a new turn has begun
	if r.inlined(ctx) && (r.turn == 0 || number < r.turn) {
		r.turn = number
	}
}

// ack is the lowest number that the task may still ask again; 0 for a task without numbers. That is a call
// without an answer, of any coroutine. It is also an inline call that was answered in the current workflow
// task: the history does not have its answer before the workflow task completes, and when the worker dies
// before that, another worker repeats the call.
func (r *run) ack(ctx workflow.Context) int64 {
	if len(r.open) == 0 {
		return 0
	}
	lowest := slices.Min(r.open)
	r.eventsOf(workflow.GetInfo(ctx))
	if r.turn > 0 {
		lowest = min(lowest, r.turn)
	}
	return lowest
}
