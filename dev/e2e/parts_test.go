package e2e_test

import (
	"testing"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// cluster is a Temporal server, workers and starters, each a process of its own.
type cluster struct {
	*processes.Cluster

	t testing.TB
}

func newCluster(t testing.TB, stateURL string) *cluster {
	t.Helper()
	return clusterOn(t, processes.StartTemporal(t, built), "holdfast", stateURL)
}

// twoOfEach is a cluster with two starters and two workers.
func twoOfEach(t testing.TB, stateURL string) *cluster {
	t.Helper()
	c := newCluster(t, stateURL)
	c.TwoOfEach()
	return c
}

// clusterOn is one of several on the same server.
func clusterOn(t testing.TB, server *processes.Temporal, queue, stateURL string) *cluster {
	t.Helper()
	return &cluster{processes.NewCluster(t, built, server, queue, stateURL), t}
}

// killWorkers kills all of them and starts them again.
func (c *cluster) killWorkers(*tab) {
	for _, worker := range c.Workers {
		worker.Kill()
	}
	for _, worker := range c.Workers {
		worker.Start()
	}
}
