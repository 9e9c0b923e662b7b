package starter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"go.temporal.io/api/enums/v1"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// reconcileEvery is how often each listed task is compared with its workflow.
	reconcileEvery = 12 * time.Second
	// reconcileAfter is the age from which on; before that it is about to be started.
	reconcileAfter = 5 * time.Second
	// reconcileCalls is how many workflows are asked for at the same time.
	reconcileCalls = 8
)

// reconcile keeps the sessions' lists true where a workflow ended without a word: it was terminated, or timed out.
func (s *Starter) reconcile(ctx context.Context) {
	for wait(ctx, reconcileEvery/2+rand.N(reconcileEvery)) { //nolint:gosec // so that starters do not all ask at the same time
		if err := s.reconcileAll(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("comparing the lists of tasks with Temporal failed; trying again", "err", err)
		}
	}
}

func (s *Starter) reconcileAll(ctx context.Context) error {
	sessions, err := s.opts.State.Listed(ctx)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(reconcileCalls)
	for _, listed := range sessions {
		if s.apps[listed.Session.App()] == nil {
			continue
		}
		for _, task := range listed.Tasks {
			group.Go(func() error { return s.reconcileOne(ctx, listed.Session, task) })
		}
	}
	return group.Wait() //nolint:wrapcheck // reconcileOne has wrapped it
}

// reconcileOne compares one entry of a list with its workflow.
func (s *Starter) reconcileOne(ctx context.Context, session holdfast.SessionID, task state.Task) error {
	if task.FailedLongAgo() {
		return s.opts.State.ForgetFailed(ctx, session)
	}
	if !task.Live() || task.Status == state.StatusStarting || time.Since(task.Since) < reconcileAfter {
		return nil
	}
	description, err := s.opts.Temporal.DescribeWorkflowExecution(ctx, string(task.ID), "")
	if isNotFound(err) {
		return s.opts.State.TaskEnded(ctx, session, task.ID, "")
	}
	if err != nil {
		return fmt.Errorf("ask for task %s: %w", task.ID, err)
	}
	failure, ended := outcome(description.GetWorkflowExecutionInfo().GetStatus())
	if !ended {
		return nil
	}
	s.log.Info("a task ended without a word; taking it off its list", "task", task.ID, "failure", failure)
	return s.opts.State.TaskEnded(ctx, session, task.ID, failure)
}

// outcome is what the page is told of a workflow that did not tell itself.
func outcome(status enums.WorkflowExecutionStatus) (failure string, ended bool) {
	switch status {
	case enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, enums.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "", true
	case enums.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return "the task was terminated", true
	case enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return "the task timed out", true
	case enums.WORKFLOW_EXECUTION_STATUS_FAILED:
		return "the task failed", true
	default: // it runs, or continues as new
		return "", false
	}
}
