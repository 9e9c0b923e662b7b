package e2e_test

import (
	"testing"

	temporalclient "go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// site is where the pages of apps are, and the Temporal server that runs their tasks.
type site interface {
	URL(path string) string
	Client() temporalclient.Client
}

// scenario is what a user does and finds, wherever the apps run.
type scenario func(t *testing.T, at site)

// inOneProcess runs a scenario on a program that has everything in it.
func inOneProcess(t *testing.T, program string, run scenario) {
	t.Helper()
	in := install(t, program)
	in.Start()
	run(t, in)
	in.Stop()
}

// TestStartersAndWorkersDoWhatOneProcessDoes runs the scenarios where two starters, two workers and Temporal are processes of their
// own, with the pages at one starter and the other in turn.
func TestStartersAndWorkersDoWhatOneProcessDoes(t *testing.T) {
	processes.OnEachStore(t, func(t *testing.T, s *processes.Store) {
		at := twoOfEach(t, s.URL)
		for name, run := range map[string]scenario{
			"the original's own test": theOriginals,
			"the counter":             theCounter,
			"the counter ends":        theCounterEnds,
			"closing the page":        closingThePage,
			"a task is terminated":    terminating,
			"a task is superseded":    superseding,
			"a task is reset":         resetting,
			"an inline task ends":     endingInline,
			"a report":                func(t *testing.T, _ site) { theReport(t, at, at.killWorkers) },
		} {
			t.Run(name, func(t *testing.T) { run(t, at) })
		}
	})
}
