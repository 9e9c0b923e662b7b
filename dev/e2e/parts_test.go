package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/embedded"
)

// cluster is a Temporal server in this process, and workers and starters that are processes of their own.
type cluster struct {
	t        testing.TB
	temporal *embedded.Server
	environ  []string // what all of them are told
}

func newCluster(t testing.TB, stateURL string) *cluster {
	t.Helper()
	return clusterOn(t, startTemporal(t), "holdfast", stateURL)
}

// startTemporal starts a server that has what workers and starters look for.
func startTemporal(t testing.TB) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(t.Context(), embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return server
}

// clusterOn is one of several on the same server.
func clusterOn(t testing.TB, server *embedded.Server, queue, stateURL string) *cluster {
	t.Helper()
	return &cluster{t: t, temporal: server, environ: append(os.Environ(),
		"HOLDFAST_TEMPORAL_TASK_QUEUE="+queue,
		"HOLDFAST_TEMPORAL_ADDRESS="+server.Address(),
		"HOLDFAST_STATE_URL="+stateURL,
		"HOLDFAST_STARTER_OPERATOR_ADDRESS=127.0.0.1:0",
		"HOLDFAST_WORKER_OPERATOR_ADDRESS=127.0.0.1:0",
		"HOLDFAST_STARTER_SESSION_KEY=not very secret, but of thirty-two bytes",
		"HOLDFAST_LOG_LEVEL=error",
	)}
}

func sqliteFile(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "state.db")
}

// part is one worker or starter. A starter has an address, which it keeps over restarts.
type part struct {
	process
	c       *cluster
	args    []string
	address string
}

func (c *cluster) worker() *part {
	c.t.Helper()
	return c.add("", "worker")
}

func (c *cluster) starter() *part {
	c.t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePorts(c.t, 1)[0])
	return c.add(address, "starter", "--starter-address", address)
}

func (c *cluster) add(address string, args ...string) *part {
	c.t.Helper()
	p := &part{process: process{t: c.t}, c: c, args: args, address: address}
	c.t.Cleanup(p.kill)
	p.start()
	return p
}

// start starts it, or starts it again, and returns when it says that it is ready.
func (p *part) start() {
	p.t.Helper()
	command := exec.Command(built.path(p.t, theFastParts), p.args...)
	command.Env = p.c.environ
	p.run(command)
}

func (p *part) url(path string) string { return "http://" + p.address + path }
