package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheNewestSupersedes starts a task twenty times in a row.
func TestTheNewestSupersedes(t *testing.T) {
	const last = 20
	in := install(t, theFastCounter)
	in.start()
	c := newClient(t, in, "fast")
	c.reconnect()
	c.until(func() bool { return c.known })
	for n := range last {
		c.send("Supersede", n+1)
	}
	c.until(func() bool {
		return len(c.begun) > 0 && c.begun[len(c.begun)-1] == last && len(c.tasks) == 1 && c.status() == "running"
	})
	require.Equal(t, c.begun[:len(c.begun)-1], c.ended, "each earlier one has ended, and before the next began")
	require.IsIncreasing(t, c.begun)
	c.send("holdfast.cancel", nil)
	c.until(func() bool { return len(c.tasks) == 0 })
	require.Equal(t, c.begun, c.ended)
}

// TestATaskGoesOnWithoutItsPage leaves a task alone for longer than the grace period, and its process too.
func TestATaskGoesOnWithoutItsPage(t *testing.T) {
	const goal = 2000 // thirty seconds
	in := install(t, theFastCounter)
	in.start()
	c := newClient(t, in, "fast")
	c.reconnect()
	c.until(func() bool { return c.known })
	c.send("CountOnTo", goal)
	c.until(func() bool { return c.counter() >= 3 })
	id := c.taskID()
	require.NoError(t, c.conn.CloseNow())
	in.kill()
	in.start()
	require.NoError(t, in.client().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
	c.reconnect()
	c.until(func() bool { return c.counter() == goal && c.done && len(c.tasks) == 0 })
}
