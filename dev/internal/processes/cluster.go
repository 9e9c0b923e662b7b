package processes

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	temporalclient "go.temporal.io/sdk/client"
)

// Cluster is workers and starters, each a process of its own, on one Temporal server and one
// store. Its methods are for the test's goroutine.
type Cluster struct {
	Temporal *Temporal
	Starters []*Part
	Workers  []*Part
	// Program is what workers and starters are. Defaults to the apps of the tests.
	Program string
	// Environ is the environment of workers and starters; what is added to it counts for those
	// that are started later.
	Environ []string
	// Log gets what workers and starters log. Defaults to standard error.
	Log io.Writer

	t    testing.TB
	turn int // of the starters, for the next page
}

// NewCluster is one without workers and starters. Several on one server have different queues.
func NewCluster(t testing.TB, programs *Programs, server *Temporal, queue, stateURL string) *Cluster {
	t.Helper()
	return &Cluster{t: t, Temporal: server, Log: os.Stderr, Program: programs.Path(t, partsProgram), Environ: append(os.Environ(),
		"HOLDFAST_TEMPORAL_TASK_QUEUE="+queue,
		"HOLDFAST_TEMPORAL_ADDRESS="+server.Address,
		"HOLDFAST_STATE_URL="+stateURL,
		"HOLDFAST_STARTER_WORKFLOWS_URL="+server.UI,
		"HOLDFAST_STARTER_OPERATOR_ADDRESS=127.0.0.1:0",
		"HOLDFAST_WORKER_OPERATOR_ADDRESS=127.0.0.1:0",
		"HOLDFAST_STARTER_SESSION_KEY=not very secret, but of thirty-two bytes",
		"HOLDFAST_LOG_LEVEL=error",
	)}
}

// SQLiteFile is the URL of a store in a file that goes with the test.
func SQLiteFile(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "state.db")
}

// TwoOfEach adds two starters and two workers.
func (c *Cluster) TwoOfEach() *Cluster {
	c.t.Helper()
	for range 2 {
		c.Starter()
		c.Worker()
	}
	return c
}

// URL is that of a page at one starter after the other, as a proxy would have it.
func (c *Cluster) URL(path string) string {
	c.turn++
	return c.Starters[c.turn%len(c.Starters)].URL(path)
}

// Client is a Temporal client.
func (c *Cluster) Client() temporalclient.Client {
	c.t.Helper()
	return Dial(c.t, c.Temporal.Address)
}

// Part is one worker or starter.
type Part struct {
	Process

	// Address is where a starter listens; it keeps it over restarts. A worker has none.
	Address string

	program string
	args    []string
	environ []string
}

// Worker adds a worker. Variables of the environment ("NAME=value") are over the cluster's.
func (c *Cluster) Worker(environ ...string) *Part {
	c.t.Helper()
	p := c.add("", environ, "worker")
	c.Workers = append(c.Workers, p)
	return p
}

// Starter adds a starter. Variables of the environment ("NAME=value") are over the cluster's.
func (c *Cluster) Starter(environ ...string) *Part {
	c.t.Helper()
	return c.StarterAt(FreeAddress(c.t), environ...)
}

// StarterAt adds a starter that listens on this address.
func (c *Cluster) StarterAt(address string, environ ...string) *Part {
	c.t.Helper()
	p := c.add(address, environ, "starter", "--starter-address", address)
	c.Starters = append(c.Starters, p)
	return p
}

func (c *Cluster) add(address string, environ []string, args ...string) *Part {
	c.t.Helper()
	p := &Part{Process: NewProcess(c.t), program: c.Program, args: args, Address: address}
	p.log = c.Log
	p.environ = append(append(p.environ, c.Environ...), environ...)
	c.t.Cleanup(p.Kill)
	p.Start()
	return p
}

// Start starts it, or starts it again, and returns when it says that it is ready.
func (p *Part) Start() {
	p.t.Helper()
	command := exec.Command(p.program, p.args...) //nolint:gosec,noctx // Kill ends it
	command.Env = p.environ
	p.Run(command)
}

// URL is that of a page at this starter.
func (p *Part) URL(path string) string { return "http://" + p.Address + path }
