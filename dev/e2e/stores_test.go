package e2e_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// counters are pages of a starter, each with a task that counts.
func counters(t testing.TB, at *processes.Part, n int, event string, goal int) (clients []*client) {
	t.Helper()
	for range n {
		c := newClient(t, at, "fast")
		c.reconnect()
		c.until(func() bool { return c.known })
		c.send(event, goal)
		clients = append(clients, c)
	}
	return clients
}

func TestAPageSeesWhatAnEventThroughAnotherStarterChanged(t *testing.T) {
	processes.OnEachStore(t, func(t *testing.T, s *processes.Store) {
		cluster := twoOfEach(t, s.URL)
		first, second := cluster.Starters[0], cluster.Starters[1]
		here := newClient(t, first, "fast")
		here.reconnect()
		here.until(func() bool { return here.known })
		there := newClient(t, second, "fast")
		there.token = here.token
		there.reconnect()
		there.until(func() bool { return there.known })
		const goal = 30
		there.send("CountTo", goal)
		here.until(func() bool { return here.counter() == goal && here.done && len(here.tasks) == 0 })
		here.requireEachOnce(goal)
	})
}

// TestTheStoreIsRestartedUnderFiftyCounters: sections wait for it and go on.
func TestTheStoreIsRestartedUnderFiftyCounters(t *testing.T) {
	processes.OnEachStore(t, func(t *testing.T, s *processes.Store) {
		const sessions, goal = 50, 8
		cluster := twoOfEach(t, s.URL)
		first, second := cluster.Starters[0], cluster.Starters[1]
		clients := counters(t, first, sessions/2, "CountSlowlyTo", goal)
		clients = append(clients, counters(t, second, sessions/2, "CountSlowlyTo", goal)...)
		for _, c := range clients {
			c.until(func() bool { return c.counter() >= 2 })
		}
		s.Restart()
		for _, c := range clients {
			c.until(func() bool { return c.counter() == goal && c.done && len(c.tasks) == 0 })
			c.requireEachOnce(goal)
		}
	})
}

// TestTwentyFiveKillsOfStartersAndWorkers is done on each of two stores.
func TestTwentyFiveKillsOfStartersAndWorkers(t *testing.T) {
	processes.OnEachStore(t, func(t *testing.T, s *processes.Store) {
		const sessions, kills = 4, 25
		cluster := twoOfEach(t, s.URL)
		parts := slices.Concat(cluster.Starters, cluster.Workers)
		clients := counters(t, parts[0], sessions/2, "CountTo", 1_000_000)
		clients = append(clients, counters(t, parts[1], sessions/2, "CountTo", 1_000_000)...)
		for range kills {
			for _, c := range clients {
				last := c.counter()
				c.until(func() bool { return c.counter() > last })
			}
			<-time.After(rand.N(50 * time.Millisecond)) // anywhere in a section, a start, a timer
			killed := parts[rand.N(len(parts))]
			killed.Kill()
			killed.Start()
		}
		var ids []string
		for _, c := range clients {
			id := c.taskID()
			ids = append(ids, id)
			c.until(func() bool { return c.counter() > 0 })
			c.send("Aim", 1)
			c.until(func() bool { return c.done && len(c.tasks) == 0 })
			c.requireEachOnce(c.counter())
			require.NoError(t, cluster.Client().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
		}
		requireStartedOnce(t, cluster.Client(), "fast.Count", ids...)
	})
}
