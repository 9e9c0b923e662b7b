package activities_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

const (
	taskID = holdfast.TaskID("test.task-abc-x")
	runID  = "default-test-run-id" // of Temporal's test environment
)

func task(workflow.Context) error { return nil }

// report is an activity of the task that reports its progress.
func report(ctx context.Context) error {
	handle, err := activities.Session(ctx)
	if err != nil {
		return err
	}
	return handle.Apply(ctx, add, 1)
}

// newTaskBench is a bench whose app has a task with an activity.
func newTaskBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.app.Tasks(task)
	b.app.Activities(report)
	return b
}

// runs answers for Temporal.
type runs func(workflow, run string) (bool, error)

func (r runs) Open(_ context.Context, workflow, run string) (bool, error) { return r(workflow, run) }

func saying(open bool) runs { return func(string, string) (bool, error) { return open, nil } }

// within runs one activity within the workflow of the task, with one attempt. Without runs Temporal is not asked.
func (b *bench) within(r activities.Runs, name string, in ...any) error {
	b.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	acts := activities.New(b.service, b.app)
	if r != nil {
		acts.AskRuns(r)
	}
	acts.RegisterLifecycle(env)
	require.NoError(b.t, acts.Register(env, b.app))
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: string(taskID)})
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			StartToCloseTimeout: 10e9, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
		})
		return workflow.ExecuteActivity(ctx, name, in...).Get(ctx, nil)
	})
	return env.GetWorkflowError()
}

func (b *bench) adds(r activities.Runs, position string, seq int64) error {
	b.t.Helper()
	return b.within(r, "test.add", wire.SectionInput{
		Session: string(session), Chain: "chain", Position: position, Input: json.RawMessage("1"), Seq: seq, Ack: 1,
	})
}

func (b *bench) failedFor(err error, kind string, retried bool) {
	b.t.Helper()
	var failure *temporal.ApplicationError
	require.ErrorAs(b.t, err, &failure)
	require.Equal(b.t, kind, failure.Type())
	require.Equal(b.t, retried, !failure.NonRetryable())
}

func (b *bench) tasks() []state.Task {
	b.t.Helper()
	tasks, err := b.service.TasksOf(b.t.Context(), session)
	require.NoError(b.t, err)
	return tasks
}

func TestSection_OfAnUnknownRunIsAppliedIfTemporalKnowsItOpen(t *testing.T) {
	t.Parallel()
	b := newTaskBench(t)
	var asked []string
	require.NoError(t, b.adds(runs(func(workflow, run string) (bool, error) {
		asked = append(asked, workflow, run)
		return true, nil
	}), "1", 1))
	require.Equal(t, []string{string(taskID), runID}, asked)
	require.Equal(t, 1, b.counter())
	require.Equal(t, taskID, b.tasks()[0].ID)
	require.NoError(t, b.adds(saying(false), "2", 2), "it is known now")
	require.Equal(t, 2, b.counter())
}

func TestSection_OfAnUnknownRunIsRefusedIfTemporalKnowsItClosed(t *testing.T) {
	t.Parallel()
	b := newTaskBench(t)
	b.failedFor(b.adds(saying(false), "1", 1), wire.ErrorTaskEnded, false)
	request := wire.RequestInput{Session: string(session), Chain: "chain", Position: "2", Task: "task", Seq: 2, Ack: 1}
	b.failedFor(b.within(saying(false), wire.Request, request), wire.ErrorTaskEnded, false)
	b.failedFor(b.within(saying(false), "test.report"), wire.ErrorTaskEnded, false)
	require.Zero(t, b.counter())
	require.Empty(t, b.tasks())
}

func TestSection_OfAnUnknownRunWaitsForTemporal(t *testing.T) {
	t.Parallel()
	b := newTaskBench(t)
	away := errors.New("Temporal is away")
	b.failedFor(b.adds(runs(func(string, string) (bool, error) { return false, away }), "1", 1), wire.ErrorFault, true)
	require.Zero(t, b.counter())
	require.Empty(t, b.tasks())
	require.NoError(t, b.adds(nil, "1", 1), "a test environment is not asked")
}

func TestSection_OfATaskThatHasEndedIsRefused(t *testing.T) {
	t.Parallel()
	b := newTaskBench(t)
	require.NoError(t, b.adds(saying(true), "1", 1))
	require.NoError(t, b.within(nil, wire.TaskEnded, wire.TaskEndedInput{Session: string(session)}))
	b.failedFor(b.adds(nil, "2", 2), wire.ErrorTaskEnded, false)
	b.failedFor(b.within(nil, "test.report"), wire.ErrorTaskEnded, false)
	require.NoError(t, b.adds(nil, "1", 1), "what was applied is still answered")
	require.Equal(t, 1, b.counter())
	require.Empty(t, b.tasks())
}

func TestSection_ThatIsForgottenIsRefused(t *testing.T) {
	t.Parallel()
	b := newTaskBench(t)
	const far = 5000
	require.NoError(t, b.adds(saying(true), "1", 1))
	require.NoError(t, b.within(nil, "test.add", wire.SectionInput{
		Session: string(session), Chain: "chain", Position: "far", Input: json.RawMessage("1"), Seq: far, Ack: far,
	}))
	b.failedFor(b.adds(nil, "1", 1), wire.ErrorForgotten, false)
	b.failedFor(b.adds(nil, "other", far-4096), wire.ErrorForgotten, false)
	require.NoError(t, b.adds(nil, "kept", far-4095))
	require.Equal(t, 3, b.counter())
}

// TestFinally_RunsAgainAfterAReset: a task was cancelled and has cleaned up, and then it was reset.
func TestFinally_RunsAgainAfterAReset(t *testing.T) {
	t.Parallel()
	b := newTaskBench(t)
	handler, err := b.app.Section(add)
	require.NoError(t, err)
	input := json.RawMessage("1")
	_, err = b.service.Apply(t.Context(), state.Call{
		Handler: handler, Session: session, Input: input, Task: taskID, Run: "first", Relist: true, Final: true,
		Key: state.Key{Owner: string(taskID), Chain: "chain", Position: "end.1", Fingerprint: state.Fingerprint("add", input)},
	})
	require.NoError(t, err)
	require.NoError(t, b.service.TaskEnded(t.Context(), session, taskID, "first", ""))
	for range 2 {
		require.NoError(t, b.adds(saying(true), "end.1", 2))
		require.Equal(t, 2, b.counter())
	}
	b.failedFor(b.adds(nil, "7", 3), wire.ErrorTaskEnded, false) // a coroutine that goes on
}

func TestSession_ReportsNoMoreOnceItsTaskIsBeingCancelled(t *testing.T) {
	t.Parallel()
	b := newTaskBench(t)
	require.NoError(t, b.within(saying(true), "test.report"))
	require.Equal(t, 1, b.counter())
	require.NoError(t, b.service.Cancel(t.Context(), session, state.Key{}, taskID, "by hand"))
	b.failedFor(b.within(nil, "test.report"), wire.ErrorTaskEnded, false)
	require.NoError(t, b.adds(nil, "1", 1), "its sections go on until it ends")
	require.Equal(t, 2, b.counter())
}
