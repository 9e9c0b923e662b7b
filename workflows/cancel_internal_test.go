package workflows

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// TestRun_WhenCancelled_CountsATimeOutAsCancelled: the server tries no activity again for a task that was cancelled, and
// reports the time-out by which it found its worker dead. (Temporal's test environment reports no such thing; dev/e2e/faults
// has it with a real server.)
func TestRun_WhenCancelled_CountsATimeOutAsCancelled(t *testing.T) {
	t.Parallel()
	refused := temporal.NewNonRetryableApplicationError("the task is being cancelled", wire.ErrorTaskEnded, nil)
	timeOut, other := temporal.NewHeartbeatTimeoutError(), errors.New("no more seats")
	environment := (&testsuite.WorkflowTestSuite{}).NewTestWorkflowEnvironment()
	environment.ExecuteWorkflow(func(ctx workflow.Context) error {
		r, earlier := &run{level: wire.LevelCancelsTimedOut}, &run{level: wire.LevelCancelsTimedOut - 1}
		require.ErrorIs(t, r.whenCancelled(ctx, timeOut), timeOut, "the task goes on")
		require.ErrorIs(t, r.whenCancelled(ctx, refused), refused, "it cannot go on")
		ctx, cancel := workflow.WithCancel(ctx)
		cancel()
		require.True(t, temporal.IsCanceledError(r.whenCancelled(ctx, timeOut)))
		require.True(t, temporal.IsCanceledError(r.whenCancelled(ctx, refused)))
		require.ErrorIs(t, r.whenCancelled(ctx, other), other)
		require.NoError(t, r.whenCancelled(ctx, nil))
		require.ErrorIs(t, earlier.whenCancelled(ctx, timeOut), timeOut, "its replay takes the same way")
		return nil
	})
	require.NoError(t, environment.GetWorkflowError())
}
