package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Runs tells whether a run of a workflow is open.
type Runs interface {
	// Open reports whether it is. An error leaves that open, and may pass.
	Open(ctx context.Context, workflow, run string) (bool, error)
}

// AskRuns has these activities ask runs, where the session does not know a task's run, instead of Temporal through their
// worker's client. In Temporal's test environments, which have no server, each run counts as open. It must come before they are
// registered.
func (a *Activities) AskRuns(runs Runs) { a.runs = runs }

// askPatience is how long Temporal may take to say whether a run is open.
const askPatience = 5 * time.Second

// temporalRuns asks Temporal through the client of the activity's worker.
type temporalRuns struct{}

// testNamespace is that of Temporal's test environments. There is no server, and one run: it is open. To ask the client that they
// have ends the process.
const testNamespace = "default-test-namespace"

func (temporalRuns) Open(ctx context.Context, workflow, run string) (bool, error) {
	if activity.GetInfo(ctx).Namespace == testNamespace {
		return true, nil
	}
	client := activity.GetClient(ctx)
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	description, err := client.DescribeWorkflowExecution(ctx, workflow, run)
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, err //nolint:wrapcheck // known wraps it
	}
	return description.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}

// known makes a call of a task. A run that the session does not know may be that of a task that was reset, or that
// has continued as new; or an old one whose worker was away. Temporal knows, and only then is the call made again.
func (a *Activities) known(ctx context.Context, call state.Call, apply func(state.Call) error) error {
	err := apply(call)
	if !errors.Is(err, state.ErrTaskNotListed) {
		return err
	}
	open, err := a.runs.Open(ctx, string(call.Task), call.Run)
	if err != nil {
		return fmt.Errorf("ask Temporal for run %s of task %s: %w", call.Run, call.Task, err)
	}
	if !open {
		return fmt.Errorf("run %s of task %s is not open: %w", call.Run, call.Task, holdfast.ErrTaskEnded)
	}
	call.Relist = true
	return apply(call)
}

// called is a call of the task whose workflow the activity runs for.
func called(ctx context.Context, session holdfast.SessionID) state.Call {
	execution := activity.GetInfo(ctx).WorkflowExecution
	return state.Call{Session: session, Task: holdfast.TaskID(execution.ID), Run: execution.RunID}
}
