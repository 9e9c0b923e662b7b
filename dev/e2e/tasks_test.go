package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// TestTheNewestSupersedes starts a task twenty times in a row.
func TestTheNewestSupersedes(t *testing.T) { inOneProcess(t, theWhole, superseding) }

func superseding(t *testing.T, at site) {
	const last = 20
	c := newClient(t, at, "fast")
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
	in := install(t, theWhole)
	in.Start()
	c := newClient(t, in, "fast")
	c.reconnect()
	c.until(func() bool { return c.known })
	c.send("CountOnTo", goal)
	c.until(func() bool { return c.counter() >= 3 })
	id := c.taskID()
	require.NoError(t, c.conn.CloseNow())
	in.Kill()
	in.Start()
	require.NoError(t, in.Client().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
	c.reconnect()
	c.until(func() bool { return c.counter() == goal && c.done && len(c.tasks) == 0 })
}

// TestAnInlineTaskHearsOfItsEnd cancels one in the middle of its hot loop, and closes the page of another.
func TestAnInlineTaskHearsOfItsEnd(t *testing.T) { inOneProcess(t, theWhole, endingInline) }

func endingInline(t *testing.T, at site) {
	begin := func() *client {
		c := newClient(t, at, "fast")
		c.reconnect()
		c.until(func() bool { return c.known })
		c.send("CountInlineTo", 1_000_000)
		c.until(func() bool { return c.counter() > 10 && c.status() == "running" })
		return c
	}
	c := begin()
	id, asked := c.taskID(), time.Now()
	c.send("holdfast.cancel", id)
	c.until(func() bool { return c.done && len(c.tasks) == 0 })
	t.Logf("it ended %s after it was cancelled", requireCancelled(t, at.Client(), id).Sub(asked).Round(time.Millisecond))

	c = begin()
	id, asked = c.taskID(), time.Now()
	require.NoError(t, c.conn.CloseNow())
	ended := requireCancelled(t, at.Client(), id).Sub(asked)
	t.Logf("it ended %s after its page was closed, the grace period of 10 s included", ended.Round(time.Millisecond))
	c.reconnect()
	c.until(func() bool { return c.done && len(c.tasks) == 0 })
}

// TestATaskThatIsResetGoesOn resets a running workflow to its beginning: what was applied is not applied again, and the list of tasks
// stays true.
func TestATaskThatIsResetGoesOn(t *testing.T) { inOneProcess(t, theWhole, resetting) }

func resetting(t *testing.T, at site) {
	c := newClient(t, at, "fast")
	c.reconnect()
	c.until(func() bool { return c.known })
	c.send("CountTo", 1_000_000)
	c.until(func() bool { return c.counter() > 10 })
	api, id := at.Client(), c.taskID()
	const afterTheFirstTurn = 4 // started, scheduled, started, completed
	_, err := api.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &common.WorkflowExecution{WorkflowId: id}, Reason: "by hand",
		WorkflowTaskFinishEventId: afterTheFirstTurn, RequestId: "one",
	})
	require.NoError(t, err)
	reset := c.counter()
	c.until(func() bool { return c.counter() > reset+10 })
	require.Equal(t, id, c.taskID())
	c.send("Aim", 1)
	c.until(func() bool { return c.done && len(c.tasks) == 0 })
	c.requireEachOnce(c.counter())
	require.NoError(t, api.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
}
