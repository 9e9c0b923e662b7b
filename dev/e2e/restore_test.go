package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// TestTheStateComesBackFromAnEarlierMoment restores the state from a copy, and not Temporal: what the state had since is lost, as with any
// backup, but what it has is whole. The page is told, and the task goes on from what there is, one step at a time.
func TestTheStateComesBackFromAnEarlierMoment(t *testing.T) {
	url := processes.SQLiteFile(t)
	cluster, c := countingOn(t, url)
	dir := filepath.Dir(strings.TrimPrefix(url, "sqlite:"))
	cluster.killAll()
	saved := copyOf(t, dir)
	at := c.counter()
	cluster.startAll()
	c.until(func() bool { return c.counter() > at+20 })
	cluster.killAll()
	lost := c.counter()
	restore(t, saved, dir)
	cluster.startAll()

	c.values = nil
	c.until(func() bool { return len(c.values) > 0 })
	require.Less(t, c.values[0], lost, "it was shown what there is, not a change on top of what is no more")
	require.True(t, c.lost)
	cluster.endWell(c)
	c.requireNoneMissing()
}

// TestTemporalComesBackFromAnEarlierMoment restores Temporal from a copy, and not the state: the task does again what it has done since,
// and the ledger answers for what was applied.
func TestTemporalComesBackFromAnEarlierMoment(t *testing.T) {
	cluster, c := countingOn(t, processes.SQLiteFile(t))
	cluster.killAll()
	saved := copyOf(t, cluster.Temporal.Dir)
	at := c.counter()
	cluster.startAll()
	c.until(func() bool { return c.counter() > at+20 })
	cluster.killAll()
	restore(t, saved, cluster.Temporal.Dir)
	cluster.startAll()

	cluster.endWell(c)
	require.False(t, c.lost)
	c.requireEachOnce(c.counter())
}

// countingOn is a cluster with a page whose task counts.
func countingOn(t *testing.T, url string) (*cluster, *client) {
	t.Helper()
	cluster := newCluster(t, url)
	at := cluster.Starter()
	cluster.Worker()
	c := counters(t, at, 1, "CountTo", 1_000_000)[0]
	c.until(func() bool { return c.counter() > 20 })
	return cluster, c
}

// endWell has the page's task end, after some more steps.
func (c *cluster) endWell(page *client) {
	c.t.Helper()
	at := page.counter()
	page.until(func() bool { return page.counter() > at+20 })
	id := page.taskID()
	page.send("Aim", 1)
	page.until(func() bool { return page.done && len(page.tasks) == 0 })
	require.NoError(c.t, c.Client().GetWorkflow(c.t.Context(), id, "").Get(c.t.Context(), nil))
}

func (c *cluster) killAll() {
	for _, p := range append(c.Starters, c.Workers...) {
		p.Kill()
	}
	c.Temporal.Kill()
}

func (c *cluster) startAll() {
	c.Temporal.Start()
	for _, p := range append(c.Starters, c.Workers...) {
		p.Start()
	}
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

func restore(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(to))
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
}
