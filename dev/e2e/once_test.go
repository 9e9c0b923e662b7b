package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	temporalclient "go.temporal.io/sdk/client"
)

// requireStartedOnce checks that the only workflows of the type are these tasks, and that all runs of each go back to one start. That a
// counter went up one by one does not tell: two tasks of one session count in turns.
func requireStartedOnce(t *testing.T, api temporalclient.Client, workflowType string, ids ...string) {
	t.Helper()
	starts := map[string]map[string]bool{}
	for len(starts) < len(ids) { // visibility comes a moment later
		answer, err := api.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: "WorkflowType = '" + workflowType + "'", PageSize: 1000,
		})
		require.NoError(t, err)
		require.Empty(t, answer.GetNextPageToken())
		for _, execution := range answer.GetExecutions() {
			run := execution.GetExecution()
			description, err := api.DescribeWorkflowExecution(t.Context(), run.GetWorkflowId(), run.GetRunId())
			require.NoError(t, err)
			if starts[run.GetWorkflowId()] == nil {
				starts[run.GetWorkflowId()] = map[string]bool{}
			}
			starts[run.GetWorkflowId()][description.GetWorkflowExecutionInfo().GetFirstRunId()] = true
		}
	}
	require.Len(t, starts, len(ids), "workflows that nobody asked for")
	for _, id := range ids {
		require.Len(t, starts[id], 1, "task %s", id)
	}
}
