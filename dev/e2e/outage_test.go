package e2e_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// outage is the time for which the Temporal server is away, and the moment when it was back.
type outage struct {
	cluster *cluster
	over    atomic.Pointer[time.Time]

	mu  sync.Mutex // protects ids
	ids []string   // of the tasks that have ended well
}

// TestTemporalIsAwayForAMinute kills the Temporal server under tasks that run. Events go on; the tasks that they start wait, and start
// when the server is back, each once. The pages stay, and none of their tasks ends.
func TestTemporalIsAwayForAMinute(t *testing.T) {
	t.Parallel() // it waits, most of the time
	const minute, sessions = time.Minute, 5
	o := &outage{cluster: newCluster(t, processes.SQLiteFile(t))}
	at := o.cluster.Starter()
	o.cluster.Worker()
	running := counters(t, at, sessions, "CountTo", 1_000_000)
	for _, c := range running {
		c.until(func() bool { return c.counter() > 3 })
	}
	o.cluster.Temporal.Kill()
	meanwhile := counters(t, at, sessions, "CountTo", 0)

	var all sync.WaitGroup
	all.Go(func() { sideBySide(t, running, o.goesOn) })
	all.Go(func() { sideBySide(t, meanwhile, o.starts) })
	<-time.After(minute)
	o.cluster.Temporal.Start()
	now := time.Now()
	o.over.Store(&now)
	all.Wait()
	requireStartedOnce(t, o.cluster.Client(), "fast.Count", o.ids...)
}

// goesOn is a session whose task ran when the server died.
func (o *outage) goesOn(c *client) {
	id, last := c.taskID(), 0
	c.until(func() bool {
		if o.over.Load() == nil {
			last = c.counter()
		}
		return c.counter() > last
	})
	c.t.Logf("it went on %s after the server was back", time.Since(*o.over.Load()).Round(time.Millisecond))
	c.send("Aim", 1)
	o.endsWell(c, id, c.counter())
}

// starts is a session that asked for a task while the server was away.
func (o *outage) starts(c *client) {
	const goal = 20
	c.until(func() bool { return len(c.waiting) == 0 && c.status() == "starting" })
	c.send("Aim", goal)
	c.until(func() bool { return len(c.waiting) == 0 })
	require.Nil(c.t, o.over.Load(), "events are acknowledged without Temporal")
	id := c.taskID()
	c.until(func() bool { return c.counter() > 0 })
	c.t.Logf("it took its first step %s after the server was back", time.Since(*o.over.Load()).Round(time.Millisecond))
	o.endsWell(c, id, goal)
}

// endsWell waits until the task has ended by itself, each step counted once. It may have made some that have not been read yet.
func (o *outage) endsWell(c *client, id string, least int) {
	c.until(func() bool { return c.done && len(c.tasks) == 0 })
	require.GreaterOrEqual(c.t, c.counter(), least)
	c.requireEachOnce(c.counter())
	require.NoError(c.t, o.cluster.Client().GetWorkflow(c.t.Context(), id, "").Get(c.t.Context(), nil))
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ids = append(o.ids, id)
}
