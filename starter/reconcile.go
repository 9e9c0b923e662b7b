package starter

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// reconcileEvery is how often each listed task is compared with its workflow.
	reconcileEvery = 12 * time.Second
	// reconcileAfter is how long this starter must have seen a task as running before it believes
	// that there is no workflow of it.
	reconcileAfter = 5 * time.Second
	// reconcileCalls is how many workflows are asked for at the same time.
	reconcileCalls = 8
)

// reconcile keeps the sessions' lists true where a workflow ended without a word: it was terminated, or timed out.
func (s *Starter) reconcile(ctx context.Context) {
	if _, err := s.listed(ctx); err != nil && ctx.Err() == nil { // so that the tasks are counted from the start
		s.log.WarnContext(ctx, "listing the tasks failed; trying again later", "err", err)
	}
	for wait(ctx, reconcileEvery/2+rand.N(reconcileEvery)) { //nolint:gosec // so that starters do not all ask at the same time
		if err := s.reconcileAll(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "comparing the lists of tasks with Temporal failed; trying again", "err", err)
		}
	}
}

func (s *Starter) reconcileAll(ctx context.Context) error {
	sessions, err := s.listed(ctx)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(reconcileCalls)
	for _, listed := range sessions {
		for _, task := range listed.Tasks {
			group.Go(func() error { return s.reconcileOne(ctx, listed.Session, task) })
		}
	}
	return group.Wait() //nolint:wrapcheck // reconcileOne has wrapped it
}

// listed are the lists of tasks of all sessions of this starter's apps.
func (s *Starter) listed(ctx context.Context) ([]state.Listed, error) {
	sessions, err := s.opts.State.Listed(ctx)
	if err != nil {
		return nil, err
	}
	sessions = slices.DeleteFunc(sessions, func(l state.Listed) bool { return s.apps[l.Session.App()] == nil })
	s.metrics.listed(sessions)
	s.seen.see(sessions, time.Now())
	return sessions, nil
}

// reconcileOne compares one entry of a list with its workflow.
func (s *Starter) reconcileOne(ctx context.Context, session holdfast.SessionID, task state.Task) error {
	if !task.Live() && s.seen.age(task.ID, time.Now()) > state.ShowFailed {
		return s.opts.State.ForgetFailed(ctx, session, task.ID)
	}
	if !task.Live() || task.Status == state.StatusStarting {
		return nil
	}
	w, err := s.execution(ctx, task)
	if err != nil || w == nil && s.seen.age(task.ID, time.Now()) < reconcileAfter {
		return err
	}
	return s.compare(ctx, session, task, w)
}

// compare compares a listed task with its workflow; nil: there is none. A task that ended without a word goes off the list, and what
// it had registered with Finally is run for it.
func (s *Starter) compare(ctx context.Context, session holdfast.SessionID, task state.Task, w *execution) error {
	if w == nil {
		return s.opts.State.TaskLost(ctx, session, task.ID, "", state.EndingLost, "")
	}
	how, failure := outcome(w.status)
	if how == state.EndingLost && task.Status == state.StatusCancelling {
		how, failure = state.EndingCancelled, "" // that is what was asked for
	}
	switch {
	case how != "":
		s.log.InfoContext(ctx, "a task ended without a word; taking it off its list",
			"app", session.App(), "session", session, "task", task.ID, "ending", how, "failure", failure)
		return s.opts.State.TaskLost(ctx, session, task.ID, w.run, how, failure)
	case w.stuck != "" && task.Status == state.StatusCancelling && task.Error != "": // it was stuck when it was looked at last, too
		return s.kill(ctx, session, task, w)
	}
	return s.noteStuck(ctx, session, task, w)
}

// outcome is how a workflow ended that did not tell itself, and what its page is told; nothing for one that has not ended.
func outcome(status enums.WorkflowExecutionStatus) (how state.Ending, failure string) {
	switch status {
	case enums.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return state.EndingCompleted, ""
	case enums.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return state.EndingCancelled, ""
	case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return state.EndingLost, "the task was terminated"
	case enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return state.EndingLost, "the task timed out"
	case enums.WORKFLOW_EXECUTION_STATUS_FAILED:
		return state.EndingFailed, "the task failed"
	default: // it runs, or continues as new
		return "", ""
	}
}
