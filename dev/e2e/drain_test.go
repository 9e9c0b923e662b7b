package e2e_test

import (
	"syscall"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// TestStartersAndWorkersLeaveInGoodOrder ends one of each as an operator does. Its page is sent to the other starter and its tasks go on at
// the other worker; nothing has to be waited out, and nothing is missed.
func TestStartersAndWorkersLeaveInGoodOrder(t *testing.T) {
	cluster := twoOfEach(t, sqliteFile(t))
	leaving, staying := cluster.starters[0], cluster.starters[1]
	c := counters(t, leaving, 1, "CountTo", 1_000_000)[0]
	c.until(func() bool { return c.counter() > 10 })
	id := c.taskID()

	require.NoError(t, leaving.running.Process.Signal(syscall.SIGTERM))
	for {
		if err := c.next(); err != nil {
			require.Equal(t, websocket.StatusGoingAway, websocket.CloseStatus(err), "%v", err)
			break
		}
	}
	require.NoError(t, leaving.running.Wait(), "it ends well")
	leaving.running = nil
	c.url = staying.url("/fast/socket")
	c.reconnect()

	worker := cluster.workers[0]
	require.NoError(t, worker.running.Process.Signal(syscall.SIGTERM))
	require.NoError(t, worker.running.Wait(), "it ends well")
	worker.running = nil
	at := c.counter()
	c.until(func() bool { return c.counter() > at+10 })
	c.send("Aim", 1)
	c.until(func() bool { return c.done && len(c.tasks) == 0 })
	c.requireEachOnce(c.counter())
	require.NoError(t, cluster.client().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
}
