package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	temporalclient "go.temporal.io/sdk/client"
)

// cluster is a Temporal server, workers and starters, each a process of its own.
type cluster struct {
	t        testing.TB
	temporal *temporalServer
	environ  []string // what workers and starters are told
	starters []*part
	workers  []*part
	turn     int // of the starters, for the next page
}

func newCluster(t testing.TB, stateURL string) *cluster {
	t.Helper()
	return clusterOn(t, startTemporal(t), "holdfast", stateURL)
}

// twoOfEach is a cluster with two starters and two workers.
func twoOfEach(t testing.TB, stateURL string) *cluster {
	t.Helper()
	c := newCluster(t, stateURL)
	for range 2 {
		c.starter()
		c.worker()
	}
	return c
}

// url is a page at one starter after the other, as a proxy would have it.
func (c *cluster) url(path string) string {
	c.turn++
	return c.starters[c.turn%len(c.starters)].url(path)
}

// client is a Temporal client.
func (c *cluster) client() temporalclient.Client {
	c.t.Helper()
	return dial(c.t, c.temporal.address)
}

// temporalServer is one that keeps its tasks and its address over restarts.
type temporalServer struct {
	process
	dir     string
	address string
	ui      string
	flags   []string
}

func startTemporal(t testing.TB) *temporalServer {
	t.Helper()
	ports := freePorts(t, 2)
	s := &temporalServer{process: process{t: t}, dir: t.TempDir()}
	s.address, s.ui = fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	s.flags = []string{"--directory", s.dir, "--temporal-port", fmt.Sprint(ports[0]), "--ui-port", fmt.Sprint(ports[1])}
	t.Cleanup(s.kill)
	s.start()
	return s
}

// start starts it, or starts it again, and returns when it says that it is ready.
func (s *temporalServer) start() {
	s.t.Helper()
	command := exec.Command(built.path(s.t, theTemporal), s.flags...)
	command.Dir = s.dir
	s.run(command)
}

// clusterOn is one of several on the same server.
func clusterOn(t testing.TB, server *temporalServer, queue, stateURL string) *cluster {
	t.Helper()
	return &cluster{t: t, temporal: server, environ: append(os.Environ(),
		"HOLDFAST_TEMPORAL_TASK_QUEUE="+queue,
		"HOLDFAST_TEMPORAL_ADDRESS="+server.address,
		"HOLDFAST_STATE_URL="+stateURL,
		"HOLDFAST_STARTER_WORKFLOWS_URL="+server.ui,
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
	p := c.add("", "worker")
	c.workers = append(c.workers, p)
	return p
}

// killWorkers kills all of them and starts them again.
func (c *cluster) killWorkers(*tab) {
	for _, worker := range c.workers {
		worker.kill()
	}
	for _, worker := range c.workers {
		worker.start()
	}
}

func (c *cluster) starter() *part {
	c.t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePorts(c.t, 1)[0])
	p := c.add(address, "starter", "--starter-address", address)
	c.starters = append(c.starters, p)
	return p
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
	command := exec.Command(built.path(p.t, theParts), p.args...)
	command.Env = p.c.environ
	p.run(command)
}

func (p *part) url(path string) string { return "http://" + p.address + path }
