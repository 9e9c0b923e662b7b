package e2e_test

import (
	"syscall"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// TestStartersAndWorkersLeaveInGoodOrder ends one of each as an operator does. Its page is sent to the other starter and its tasks go on at
// the other worker; nothing has to be waited out, and nothing is missed.
func TestStartersAndWorkersLeaveInGoodOrder(t *testing.T) {
	cluster := twoOfEach(t, processes.SQLiteFile(t))
	leaving, staying := cluster.Starters[0], cluster.Starters[1]
	c := counters(t, leaving, 1, "CountTo", 1_000_000)[0]
	c.until(func() bool { return c.counter() > 10 })
	id := c.taskID()

	leaving.Signal(syscall.SIGTERM)
	for {
		if err := c.next(); err != nil {
			require.Equal(t, websocket.StatusGoingAway, websocket.CloseStatus(err), "%v", err)
			break
		}
	}
	leaving.Wait()
	c.url = staying.URL("/fast/socket")
	c.reconnect()

	worker := cluster.Workers[0]
	worker.Signal(syscall.SIGTERM)
	worker.Wait()
	at := c.counter()
	c.until(func() bool { return c.counter() > at+10 })
	c.send("Aim", 1)
	c.until(func() bool { return c.done && len(c.tasks) == 0 })
	c.requireEachOnce(c.counter())
	require.NoError(t, cluster.Client().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
}
