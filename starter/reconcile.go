package starter

import (
	"context"
	"fmt"
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
	description, err := s.opts.Temporal.DescribeWorkflowExecution(ctx, string(task.ID), "")
	if isNotFound(err) {
		if s.seen.age(task.ID, time.Now()) < reconcileAfter {
			return nil
		}
		return s.opts.State.TaskEndedAs(ctx, session, task.ID, "", state.EndingLost, "")
	}
	if err != nil {
		return fmt.Errorf("ask for task %s: %w", task.ID, err)
	}
	info := description.GetWorkflowExecutionInfo()
	how, failure := outcome(info.GetStatus())
	if how == "" {
		return nil
	}
	s.log.InfoContext(ctx, "a task ended without a word; taking it off its list",
		"app", session.App(), "session", session, "task", task.ID, "ending", how, "failure", failure)
	return s.opts.State.TaskEndedAs(ctx, session, task.ID, info.GetExecution().GetRunId(), how, failure)
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
