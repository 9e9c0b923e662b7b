package starter

import (
	"context"
	"fmt"
	"strings"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// stuckAttempts is how often in a row a turn of a workflow has to fail before its task counts as stuck.
	stuckAttempts = 3
	// lateAttempts is the same for turns that end by their time-out, as they do where the workers are too busy.
	lateAttempts = 10
)

// execution is what Temporal says of a task.
type execution struct {
	run    string
	status enums.WorkflowExecutionStatus
	stuck  string // why it does not move, for people; empty: it moves
	detail string // the same for the log, if it has just been asked for
}

// execution asks Temporal for a task; nil: there is none.
func (s *Starter) execution(ctx context.Context, task state.Task) (*execution, error) {
	description, err := s.opts.Temporal.DescribeWorkflowExecution(ctx, string(task.ID), "")
	if isNotFound(err) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("ask for task %s: %w", task.ID, &temporalError{err})
	}
	info := description.GetWorkflowExecutionInfo()
	w := &execution{run: info.GetExecution().GetRunId(), status: info.GetStatus()}
	attempt := description.GetPendingWorkflowTask().GetAttempt()
	switch {
	case w.status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING, attempt < stuckAttempts:
	case task.Error != "": // it is known, and still so
		w.stuck = task.Error
	default:
		err = s.explain(ctx, task.ID, w, attempt)
	}
	return w, err
}

// explain finds out why the last turn of a workflow failed. The attempts after the first are not in the history.
func (s *Starter) explain(ctx context.Context, id holdfast.TaskID, w *execution, attempt int32) error {
	const tail = 20
	page, err := s.opts.Temporal.WorkflowService().GetWorkflowExecutionHistoryReverse(ctx, &workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace: s.opts.Namespace, Execution: &common.WorkflowExecution{WorkflowId: string(id), RunId: w.run}, MaximumPageSize: tail,
	})
	if err != nil {
		return fmt.Errorf("read the history of task %s: %w", id, &temporalError{err})
	}
	for _, event := range page.GetHistory().GetEvents() {
		if failed := event.GetWorkflowTaskFailedEventAttributes(); failed != nil {
			w.stuck, w.detail = whyStuck(failed), failed.GetFailure().GetMessage()
			return nil
		}
	}
	if attempt >= lateAttempts {
		w.stuck = "the workers do not get done with it in time"
	}
	return nil
}

// whyStuck says to people why a turn failed.
func whyStuck(failed *history.WorkflowTaskFailedEventAttributes) string {
	switch {
	case failed.GetCause() == enums.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR:
		return "its code has changed and does not fit what it has done so far"
	case strings.Contains(failed.GetFailure().GetMessage(), "unable to find workflow type"):
		return "the workers do not know this task"
	default:
		return "its code fails in the workers"
	}
}

// noteStuck lists a task as stuck, or as running again. It logs that once.
func (s *Starter) noteStuck(ctx context.Context, session holdfast.SessionID, task state.Task, w *execution) error {
	if w.stuck == task.Error {
		return nil
	}
	news, err := s.opts.State.TaskStuck(ctx, session, task.ID, w.stuck)
	switch {
	case err != nil || !news:
	case w.stuck == "":
		s.log.InfoContext(ctx, "a task that was stuck moves again", "app", session.App(), "session", session, "task", task.ID)
	default:
		s.log.ErrorContext(ctx, "a task is stuck; cancel it, or run workers whose code fits it",
			"app", session.App(), "session", session, "task", task.ID, "reason", w.stuck, "failure", w.detail)
	}
	return err
}

// kill ends a task that was asked to end and is stuck. What it had registered with Finally is run for it.
func (s *Starter) kill(ctx context.Context, session holdfast.SessionID, task state.Task, w *execution) error {
	if err := s.terminate(ctx, task.ID, w.run, "cancelled while it was stuck: "+w.stuck); err != nil {
		return err
	}
	s.log.WarnContext(ctx, "a task that was cancelled and is stuck was terminated",
		"app", session.App(), "session", session, "task", task.ID, "reason", w.stuck)
	return s.opts.State.TaskLost(ctx, session, task.ID, w.run, state.EndingCancelled, "")
}
