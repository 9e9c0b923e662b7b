package e2e_test

import (
	"database/sql"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // to look into the file
)

// TestTwentyKillsLoseAndDoubleNothing kills the whole program, server and state included, at random moments of a fast run.
func TestTwentyKillsLoseAndDoubleNothing(t *testing.T) {
	const kills, goal = 20, 200
	in := install(t, theWhole)
	in.Start()
	c := newClient(t, in, "fast")
	c.reconnect()
	c.until(func() bool { return c.known })
	c.send("CountTo", goal)
	for kill := 1; kill <= kills; kill++ {
		at := kill * goal / (kills + 1)
		c.until(func() bool { return c.counter() >= at })
		<-time.After(rand.N(20 * time.Millisecond)) // anywhere in an iteration: section, commit, workflow task, timer
		in.Kill()
		in.Start()
	}
	c.until(func() bool { return c.done && len(c.tasks) == 0 })
	c.requireEachOnce(goal)
	in.Stop()
	requireConsistent(t, filepath.Join(in.dir, "state.db"), goal)
}

// requireConsistent looks into the file that is left behind: each iteration is in the ledger once, and the log ends at the
// session's revision without a gap.
func requireConsistent(t *testing.T, path string, goal int) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	number := func(query string) (n int) {
		require.NoError(t, db.QueryRow(query).Scan(&n))
		return n
	}
	require.Equal(t, goal, number(`SELECT json_extract(body, '$.counter') FROM documents`))
	require.Equal(t, goal, number(`SELECT count(*) FROM ledger WHERE key LIKE '%'||char(31)||'1.%'`))
	require.Equal(t, 1, number(`SELECT count(*) FROM ledger WHERE key LIKE '%'||char(31)||'end.1'||char(31)||'%'`))
	require.Equal(t, number(`SELECT revision FROM sessions`), number(`SELECT max(revision) FROM changes`))
	require.Equal(t, number(`SELECT revision FROM sessions`), number(`SELECT count(*) FROM changes`))
	require.Equal(t, 0, number(`SELECT count(*) FROM outbox`))
	require.Equal(t, 0, number(`SELECT count(*) FROM leases`))
}
