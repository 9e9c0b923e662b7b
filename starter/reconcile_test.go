package starter_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/holdfast-run/holdfast/state"
)

func TestATaskThatEndedWithoutAWordGoesOffTheList(t *testing.T) {
	t.Parallel()
	for status, failure := range map[enums.WorkflowExecutionStatus]string{
		enums.WORKFLOW_EXECUTION_STATUS_TERMINATED: "the task was terminated",
		enums.WORKFLOW_EXECUTION_STATUS_CANCELED:   "",
	} {
		t.Run(status.String(), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Start()
			p := b.settled()
			running(b, p, 2)
			b.temporal.end(status)
			tasks := *p.want("delta").Tasks // after a while
			if failure == "" {
				require.Empty(t, tasks)
				return
			}
			require.Equal(t, state.StatusFailed, tasks[0].Status)
			require.Equal(t, failure, tasks[0].Error)
		})
	}
}
