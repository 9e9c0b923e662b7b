package workflows

import (
	"encoding/json"
	"strconv"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// run is one run of a task: what its calls share. It is used by one coroutine at a time, as Temporal schedules them.
type run struct {
	task     *holdfast.Task
	session  string
	chain    string // the first run id: the same for all runs of the chain, also after a reset
	carry    wire.Carry
	position int                 // of the last call outside of loops
	finally  []*holdfast.Handler // in the order of their registration
	leaving  bool                // the run continues as new; no call does anything any more
}

type runKey struct{}

func newRun(ctx workflow.Context, task *holdfast.Task, in wire.TaskInput) *run {
	r := &run{task: task, session: in.Session, chain: workflow.GetInfo(ctx).FirstRunID}
	if in.Carry != nil {
		r.carry = *in.Carry
	}
	if r.carry.Steps == nil {
		r.carry.Steps = map[int]wire.Step{}
	}
	if r.carry.Loops == nil {
		r.carry.Loops = map[int]wire.Loop{}
	}
	return r
}

// runOf finds the run that the context belongs to. The caller's name is for the sentence if there is none.
func runOf(ctx workflow.Context, caller string) (*run, error) {
	r, ok := ctx.Value(runKey{}).(*run)
	if !ok {
		return nil, misuse("workflows.%s is called outside of a task of an app: register the workflow with app.Tasks", caller)
	}
	if r.leaving {
		return nil, errLeaving
	}
	return r, nil
}

// next is the position of the next call outside of loops. Positions are counted from the top in every run of the chain.
func (r *run) next() int {
	r.position++
	return r.position
}

// section returns the registered section and its name.
func (r *run) section(fn any, caller string) (*holdfast.Handler, error) {
	handler, err := r.task.App().Section(fn)
	if err != nil {
		return nil, misuse("workflows.%s: %v", caller, err)
	}
	return handler, nil
}

// step does what has not been done by an earlier run of the chain, and remembers it for the next.
func (r *run) step(name string, do func(position string) (json.RawMessage, error)) (json.RawMessage, error) {
	position := r.next()
	if done, ok := r.carry.Steps[position]; ok {
		if done.Name != name {
			return nil, misuse("step %d of task %s was %q before the task continued as new and is %q now: up to its loop a task must take the same way in every run",
				position, r.task.Type(), done.Name, name)
		}
		return done.Result, nil
	}
	result, err := do(strconv.Itoa(position))
	if err == nil {
		r.carry.Steps[position] = wire.Step{Name: name, Result: result}
	}
	return result, err
}

// errLeaving answers every call after a loop has decided to continue as new. A task that hands it on leaves at once; one that
// does not leaves when its function returns.
var errLeaving = temporal.NewNonRetryableApplicationError("the task continues as new", "ContinueAsNew", nil)
