package workflows

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"go.temporal.io/sdk/log"
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
	closed   bool                // the task's function has returned, or a coroutine panicked
	reading  bool                // a query handler runs
	busy     int                 // calls under way
	failed   error               // the panic of a coroutine
	cancel   workflow.CancelFunc // of the task's own context, and of the watcher
	body     workflow.Context    // of the task's function
	handlers []workflow.CancelFunc
	level    int
	inline   bool
	nap      time.Duration // sleeps shorter than it are spent in the worker, if inline
	watcher  *watcher      // nil for a task that does not mind whether its page is there
	cause    error         // why the task was cancelled, if not from outside
	warned   bool          // of a long history
	worked   bool          // a step has been done, and not by an earlier run
	open     []int64       // the numbers of the calls that wait for their answers
	turn     int64         // the lowest number of the inline calls answered in this turn; 0 for none
	length   int           // of the history, as the turn began
	local    int           // local activities in this turn
	anchor   int           // the position of the first checkpoint; 0 for none
}

type runKey struct{}

func newRun(ctx workflow.Context, task *holdfast.Task, in wire.TaskInput) *run {
	r := &run{task: task, session: in.Session, chain: workflow.GetInfo(ctx).FirstRunID, level: in.Level, inline: in.Inline, nap: in.NapBelow}
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
		return nil, misuse("workflows.%s is called outside of a task of an app: register the workflow with app.Tasks, and complete the options of a worker of your own with worker.Prepare", caller)
	}
	switch {
	case r.reading:
		return nil, misuse("workflows.%s is called in a query handler or in an update's validator, which can change nothing", caller)
	case r.leaving:
		return nil, errLeaving
	case r.closed:
		return nil, misuse("workflows.%s is called after the task's function has returned: the function waits for the coroutines that it starts", caller)
	}
	return r, nil
}

// topRunOf is runOf for what counts from the top of the task's function, and so is not for update handlers.
func topRunOf(ctx workflow.Context, caller string) (*run, error) {
	if inHandler(ctx) {
		return nil, misuse("workflows.%s is called in an update handler: it is for the task's function and its coroutines", caller)
	}
	return runOf(ctx, caller)
}

// outstanding counts a call that is under way; the returned function ends it.
func (r *run) outstanding() (done func()) {
	r.busy++
	return func() { r.busy-- }
}

// next is the position of the next call outside of loops. Positions are counted from the top in every run of the chain.
func (r *run) next() int {
	r.position++
	return r.position
}

// log is the workflow's logger, which says nothing during a replay, with the names that the other packages give to what it is about.
func (r *run) log(ctx workflow.Context) log.Logger {
	return log.With(workflow.GetLogger(ctx), "app", r.task.App().Name(), "session", r.session, "task", workflow.GetInfo(ctx).WorkflowExecution.ID)
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
//
// A call of an update handler comes at any time, and the handler is not called again by the next run. So it has a
// position of its own, apart from those that are counted from the top, and is not remembered.
func (r *run) step(ctx workflow.Context, name string, do func(position string) (json.RawMessage, error)) (json.RawMessage, error) {
	if inHandler(ctx) {
		r.carry.Handled++
		return do("handler." + strconv.FormatInt(r.carry.Handled, 10))
	}
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
		r.worked = true
	}
	return result, err
}

// long reports that the history has grown as far as the server suggests. Of local activities the server hears at the end of a
// turn, so they are counted here.
func (r *run) long(ctx workflow.Context) bool {
	info := workflow.GetInfo(ctx)
	if info.GetContinueAsNewSuggested() {
		return true
	}
	const most = 7000
	return r.local > 0 && r.eventsOf(info) > most
}

// eventsOf is the length of the history with what this turn will add to it.
func (r *run) eventsOf(info *workflow.Info) int {
	if n := info.GetCurrentHistoryLength(); n != r.length {
		r.length, r.local, r.turn = n, 0, 0
	}
	return r.length + r.local
}

// warn tells, once, of a task whose history nears the server's limit because it has nothing that continues as new.
func (r *run) warn(ctx workflow.Context) {
	const near = 10_000
	length := workflow.GetInfo(ctx).GetCurrentHistoryLength()
	if r.warned || length < near {
		return
	}
	r.warned = true
	r.log(ctx).Warn("the task's history nears the server's limit; use workflows.Every, or call workflows.Checkpoint in its loop",
		"events", length)
	workflow.SetCurrentDetails(ctx, fmt.Sprintf("**The history of this task has %d events.** The server ends a task at about 50,000. "+
		"Use `workflows.Every`, or call `workflows.Checkpoint` in its loop.", length))
}

// errLeaving answers every call after a loop has decided to continue as new. A task that hands it on leaves at once; one that
// does not leaves when its function returns.
var errLeaving = temporal.NewNonRetryableApplicationError("the task continues as new", "ContinueAsNew", nil)
