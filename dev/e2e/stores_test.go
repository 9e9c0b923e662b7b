package e2e_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// store is a database that several machines can share.
type store struct {
	url     string
	restart func() // stops it hard and starts it again
}

// onEachStore runs a test on private servers.
func onEachStore(t *testing.T, test func(*testing.T, *store)) {
	t.Helper()
	for name, start := range stores() {
		t.Run(name, func(t *testing.T) {
			test(t, start(t))
		})
	}
}

// stores start private servers.
func stores() map[string]func(testing.TB) *store {
	return map[string]func(testing.TB) *store{
		"postgres": func(t testing.TB) *store {
			t.Helper()
			server := postgrestest.Start(t)
			return &store{server.URL(), func() { server.Restart(t) }}
		},
		"redis": func(t testing.TB) *store {
			t.Helper()
			server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
			return &store{server.URL(), server.Restart}
		},
	}
}

// counters are pages of a starter, each with a task that counts.
func counters(t testing.TB, at *part, n int, event string, goal int) (clients []*client) {
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
	onEachStore(t, func(t *testing.T, s *store) {
		cluster := twoOfEach(t, s.url)
		first, second := cluster.starters[0], cluster.starters[1]
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
	onEachStore(t, func(t *testing.T, s *store) {
		const sessions, goal = 50, 8
		cluster := twoOfEach(t, s.url)
		first, second := cluster.starters[0], cluster.starters[1]
		clients := counters(t, first, sessions/2, "CountSlowlyTo", goal)
		clients = append(clients, counters(t, second, sessions/2, "CountSlowlyTo", goal)...)
		for _, c := range clients {
			c.until(func() bool { return c.counter() >= 2 })
		}
		s.restart()
		for _, c := range clients {
			c.until(func() bool { return c.counter() == goal && c.done && len(c.tasks) == 0 })
			c.requireEachOnce(goal)
		}
	})
}

// TestTwentyFiveKillsOfStartersAndWorkers is done on each of two stores.
func TestTwentyFiveKillsOfStartersAndWorkers(t *testing.T) {
	onEachStore(t, func(t *testing.T, s *store) {
		const sessions, kills = 4, 25
		cluster := twoOfEach(t, s.url)
		parts := slices.Concat(cluster.starters, cluster.workers)
		clients := counters(t, parts[0], sessions/2, "CountTo", 1_000_000)
		clients = append(clients, counters(t, parts[1], sessions/2, "CountTo", 1_000_000)...)
		for range kills {
			for _, c := range clients {
				last := c.counter()
				c.until(func() bool { return c.counter() > last })
			}
			<-time.After(rand.N(50 * time.Millisecond)) // anywhere in a section, a start, a timer
			killed := parts[rand.N(len(parts))]
			killed.kill()
			killed.start()
		}
		var ids []string
		for _, c := range clients {
			id := c.taskID()
			ids = append(ids, id)
			c.until(func() bool { return c.counter() > 0 })
			c.send("Aim", 1)
			c.until(func() bool { return c.done && len(c.tasks) == 0 })
			c.requireEachOnce(c.counter())
			require.NoError(t, cluster.client().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
		}
		requireStartedOnce(t, cluster.client(), "fast.Count", ids...)
	})
}
