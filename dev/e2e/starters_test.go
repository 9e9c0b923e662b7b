package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	temporalclient "go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// TestAStarterIsKilledBesideAnother kills a starter that many pages are connected to. Half of them move to the other
// starter, where they miss nothing; the others never come back, and their tasks are cancelled: the other starter speaks for the
// one that died.
func TestAStarterIsKilledBesideAnother(t *testing.T) {
	const sessions = 50
	cluster := newCluster(t, processes.SQLiteFile(t))
	cluster.Worker()
	first, second := cluster.Starter(), cluster.Starter()
	var clients []*client
	for range sessions {
		c := newClient(t, first, "fast")
		c.reconnect()
		c.until(func() bool { return c.known })
		c.send("CountSlowlyTo", 1_000_000)
		clients = append(clients, c)
	}
	for _, c := range clients {
		c.until(func() bool { return c.counter() >= 1 && c.status() == "running" })
	}
	first.Kill()
	killed := time.Now()

	stay, gone := clients[:sessions/2], clients[sessions/2:]
	sideBySide(t, stay, func(c *client) {
		c.url = second.URL("/fast/socket")
		before := c.counter()
		c.until(func() bool { return c.counter() >= before+5 })
		c.send("CountSlowlyTo", 0) // ends both tasks at their next step
		c.until(func() bool { return c.done && len(c.tasks) == 0 })
		c.requireNoneMissing()
	})
	api := cluster.Client()
	var worst time.Duration
	for _, c := range gone {
		worst = max(worst, requireCancelled(t, api, c.taskID()).Sub(killed))
	}
	t.Logf("the last of %d tasks without a page ended %s after its starter was killed", len(gone), worst.Round(time.Millisecond))
}

// requireCancelled waits until the workflow ends and returns when it did.
func requireCancelled(t *testing.T, api temporalclient.Client, id string) time.Time {
	t.Helper()
	_ = api.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil)
	description, err := api.DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	info := description.GetWorkflowExecutionInfo()
	require.Equal(t, enums.WORKFLOW_EXECUTION_STATUS_CANCELED, info.GetStatus())
	return info.GetCloseTime().AsTime()
}
