package starter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
	"github.com/holdfast-run/holdfast/state"
)

// lateStart is how long after a task was struck out its start may still come, from a relay that was about to make it: each
// gives it startTimeout. Until then the row of the cancellation stays, and ends what has come.
const lateStart = 3 * startTimeout

// cancel does what a row asks that cancels a task.
func (r *relay) cancel(ctx context.Context, row state.Pending) (result, error) {
	ctx, span := r.starter.traceRow(ctx, row)
	defer span.End()
	done, err := r.end(ctx, row)
	telemetry.Fail(span, err)
	switch {
	case err != nil:
		return r.failed(ctx, row, err)
	case !done:
		r.backoffs.add(row.ID, time.Now())
		return resultWaits, nil
	}
	return resultDone, r.starter.opts.State.Settle(ctx, row.Session, row.ID)
}

// end asks for the end of a task, and reports whether nothing is left to be done for it.
func (r *relay) end(ctx context.Context, row state.Pending) (done bool, err error) {
	there, err := r.starter.requestCancel(ctx, row.Task, reasonOf(row))
	if err != nil {
		return false, err
	}
	task, err := r.starter.taskOf(ctx, row.Session, row.Task)
	switch {
	case err != nil:
		return false, err
	case task == nil:
		return r.endUnlisted(ctx, row, there)
	}
	w, err := r.starter.execution(ctx, *task)
	if err != nil {
		return false, err
	}
	if !there { // it has ended without a word, or there is no trace of it
		return true, r.starter.compare(ctx, row.Session, *task, w)
	}
	return r.endStuck(ctx, row, *task, w)
}

// endUnlisted waits for a start of a task that was struck out before it ran. A workflow that came so late, and has not ended when
// none can come any more, is terminated: it can write nothing.
func (r *relay) endUnlisted(ctx context.Context, row state.Pending, there bool) (done bool, err error) {
	if time.Since(r.backoffs.since(row.ID, time.Now())) < lateStart {
		return false, nil
	}
	if !there {
		return true, nil
	}
	return true, r.starter.terminate(ctx, row.Task, "", reasonOf(row))
}

// endStuck terminates a task that is still stuck when it is asked to end for the second time.
func (r *relay) endStuck(ctx context.Context, row state.Pending, task state.Task, w *execution) (done bool, err error) {
	if w == nil || w.stuck == "" {
		return true, nil
	}
	if r.backoffs.times(row.ID) == 0 {
		return false, r.starter.noteStuck(ctx, row.Session, task, w)
	}
	return true, r.starter.kill(ctx, row.Session, task, w)
}

// temporalError is an error of Temporal, as against one of the store.
type temporalError struct{ error }

func (e *temporalError) Unwrap() error { return e.error }

// failed has a row wait: for its own reason, or because Temporal or the store is away.
func (r *relay) failed(ctx context.Context, row state.Pending, err error) (result, error) {
	if temporal, ok := errors.AsType[*temporalError](err); ok && classify(temporal.error) != classAway {
		return r.retry(ctx, row, err)
	}
	return resultWaits, err
}

// requestCancel asks Temporal to cancel a workflow, and reports whether there is one that runs.
func (s *Starter) requestCancel(ctx context.Context, id holdfast.TaskID, reason string) (there bool, err error) {
	err = s.opts.Temporal.CancelWorkflowWithOptions(ctx, client.CancelWorkflowOptions{WorkflowID: string(id), Reason: reason})
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cancel task %s: %w", id, &temporalError{err})
	}
	return true, nil
}

// terminate ends a workflow at once, without any of its code. It needs not be there.
func (s *Starter) terminate(ctx context.Context, id holdfast.TaskID, run, reason string) error {
	err := s.opts.Temporal.TerminateWorkflow(ctx, string(id), run, reason)
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("terminate task %s: %w", id, &temporalError{err})
	}
	return nil
}

// taskOf is the task as its session lists it; nil if it does not, or no more as one that lives.
func (s *Starter) taskOf(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID) (*state.Task, error) {
	tasks, err := s.opts.State.TasksOf(ctx, session)
	if err != nil {
		return nil, err
	}
	for i := range tasks {
		if tasks[i].ID == id && tasks[i].Live() {
			return &tasks[i], nil
		}
	}
	return nil, nil //nolint:nilnil // none is an answer
}

func isNotFound(err error) bool {
	var missing *serviceerror.NotFound
	return errors.As(err, &missing)
}
