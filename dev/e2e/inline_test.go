package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// TestFiftyKillsInInlineStretches kills workers in the middle of sections that are local activities, fifty times in all. Of a turn
// that was cut short the history knows nothing, and it is run again from its beginning: the ledger answers for what was
// applied. It is done in five places side by side, for after each kill the server waits out the turn's two seconds, and longer
// when a turn is cut short several times in a row.
func TestFiftyKillsInInlineStretches(t *testing.T) { //nolint:tparallel // it has the machine for itself
	const places, kills = 5, 10
	server := processes.StartTemporal(t, built)
	for place := range places {
		t.Run(fmt.Sprint(place), func(t *testing.T) {
			t.Parallel()
			cluster := clusterOn(t, server, fmt.Sprint("place-", place), processes.SQLiteFile(t))
			starter, worker := cluster.Starter(), cluster.Worker()
			c := newClient(t, starter, "fast")
			c.reconnect()
			c.until(func() bool { return c.known })
			c.send("CountInlineTo", 1_000_000)
			for range kills {
				last := c.counter()
				c.until(func() bool { return c.counter() > last })
				<-time.After(rand.N(3 * time.Second)) // anywhere in a turn, or between two
				worker.Kill()
				worker.Start()
			}
			require.False(t, c.done)
			c.send("Aim", 1)
			c.until(func() bool { return c.done && len(c.tasks) == 0 })
			c.requireEachOnce(c.counter())
		})
	}
}
