package workflows

import (
	"encoding/json"
	"errors"
	"reflect"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// Register registers each task of the app as a workflow under its own name, such as "counter.MyTask": with a worker, a
// replayer or Temporal's test environment. The error is that of app.Check.
func Register(registry worker.WorkflowRegistry, app *holdfast.App) error {
	if err := app.Check(); err != nil {
		return err
	}
	for task := range app.AllTasks() {
		registry.RegisterWorkflowWithOptions(execute(task), workflow.RegisterOptions{Name: task.Type()})
	}
	return nil
}

// execute is the workflow around a task's function: what every task does before and after.
func execute(task *holdfast.Task) func(workflow.Context, wire.TaskInput) (json.RawMessage, error) {
	return func(ctx workflow.Context, in wire.TaskInput) (json.RawMessage, error) {
		r := newRun(ctx, task, in)
		r.settle(ctx)
		life, cancel := workflow.WithCancel(workflow.WithValue(ctx, runKey{}, r))
		r.cancel = cancel
		result, err := r.live(life, in)
		if r.leaving && life.Err() == nil {
			return nil, workflow.NewContinueAsNewError(ctx, task.Type(), r.heir(ctx, in))
		}
		if r.leaving { // cancelled as it left: there is no next run
			err = life.Err()
		}
		if r.failed != nil {
			err = r.failed
		}
		err = r.ended(err)
		if cleanErr := r.end(ctx, err); err == nil {
			err = cleanErr
		}
		if err != nil {
			return nil, fit(err)
		}
		return result, nil
	}
}

// heir is the input of the next run of the chain.
func (r *run) heir(ctx workflow.Context, in wire.TaskInput) wire.TaskInput {
	if r.watcher != nil {
		r.watcher.drain(ctx) // a signal that nobody has heard would be lost with this run
		r.carry.Presence = &r.watcher.state
	}
	in.Carry = &r.carry
	return in
}

// live runs the author's function and ends what it leaves behind.
func (r *run) live(life workflow.Context, in wire.TaskInput) (result json.RawMessage, err error) {
	if r.level < wire.LevelEndsCalls {
		r.body = life
		r.watch(life, in.Disconnect)
		return r.invoke(life, in.Argument)
	}
	body, stop := workflow.WithCancel(life)
	r.body = body
	returned := false
	// In a coroutine of its own, so that a panic elsewhere ends the task also when the function waits for good.
	workflow.Go(body, func(ctx workflow.Context) {
		result, err = r.invoke(ctx, in.Argument)
		returned = true
	})
	r.watch(life, in.Disconnect)
	ctx, cancel := workflow.NewDisconnectedContext(life)
	defer cancel()
	await(ctx, func() bool { return returned || r.failed != nil })
	r.closed = true
	stop()
	for _, cancel := range r.handlers {
		cancel()
	}
	await(ctx, func() bool { return r.busy == 0 })
	var next *workflow.ContinueAsNewError
	if errors.As(err, &next) {
		err = misuse("task %s returned a ContinueAsNewError of its own: a task continues as new by workflows.Every, workflows.Checkpoint or workflows.Sleep, and starts another by workflows.Start", r.task.Type())
	}
	return result, err
}

// await waits with a context that is never cancelled, so there is no error.
func await(ctx workflow.Context, condition func() bool) { _ = workflow.Await(ctx, condition) }

// invoke calls the author's function. A panic in it fails the task; see contain.
func (r *run) invoke(ctx workflow.Context, argument json.RawMessage) (result json.RawMessage, err error) {
	args, err := r.task.DecodeArgument(argument)
	if err != nil {
		return nil, temporal.NewNonRetryableApplicationError(err.Error(), wire.ErrorBadArgument, nil)
	}
	defer contain(r.task, &err)
	results := reflect.ValueOf(r.task.Func()).Call(append([]reflect.Value{reflect.ValueOf(ctx)}, args...))
	if err, _ := reflect.TypeAssert[error](results[len(results)-1]); err != nil {
		return nil, err
	}
	if len(results) == 1 {
		return nil, nil
	}
	if result, err = json.Marshal(results[0].Interface()); err != nil {
		return nil, misuse("task %s: encode the result: %v", r.task.Type(), err)
	}
	if err := holdfast.CheckValue("the result", result, holdfast.MaxResult); err != nil {
		return nil, misuse("task %s: %v", r.task.Type(), err)
	}
	return result, nil
}

// end does what is due when a task ends, out of reach of its cancellation.
func (r *run) end(ctx workflow.Context, taskErr error) error {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	err := r.clean(ctx)
	if taskErr == nil {
		taskErr = err
	}
	in := r.failure(ctx, taskErr)
	in.Session, in.Cancelled = r.session, temporal.IsCanceledError(taskErr)
	if ended := r.sayEnded(ctx, in); err == nil {
		err = ended
	}
	return err
}

// sayEnded takes the task off its session's list.
func (r *run) sayEnded(ctx workflow.Context, in wire.TaskEndedInput) error {
	const summary = "take the task off the session's list"
	if r.inline && r.level >= wire.LevelEndsInline {
		return r.executeInline(ctx, wire.TaskEnded, in, summary, nil)
	}
	ctx = workflow.WithActivityOptions(ctx, lifecycleOptions(summary))
	return workflow.ExecuteActivity(ctx, wire.TaskEnded, in).Get(ctx, nil)
}

func lifecycleOptions(summary string) workflow.ActivityOptions {
	o := sectionOptions(summary)
	o.HeartbeatTimeout = 0 // it does not beat, so the other time-out must find a dead worker
	o.StartToCloseTimeout = 5 * time.Second
	return o
}
