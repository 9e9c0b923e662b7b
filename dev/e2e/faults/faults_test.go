package faults_test

import (
	"testing"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// scenario is one of them, on an empty store.
type scenario func(*testing.T, *processes.Temporal, database)

// TestFaults runs all scenarios on each store: the stores side by side, and of one store those side
// by side that mostly wait.
func TestFaults(t *testing.T) {
	server := processes.StartTemporal(t, built)
	stores := map[string]func(*testing.T){}
	for name, start := range databases() {
		stores[name] = func(t *testing.T) {
			db := start(t)
			run := func(run scenario) func(*testing.T) { return func(t *testing.T) { run(t, server, db) } }
			sideBySide(t, map[string]func(*testing.T){
				"Busy": func(t *testing.T) {
					t.Run("WorkerPaused", run(workerPaused))
					t.Run("StarterPaused", run(starterPaused))
					t.Run("ClientMoves", run(clientMoves))
				},
				"Clocks":   run(clocks),
				"Silence":  run(silence),
				"Flapping": run(flapping),
			})
		}
	}
	sideBySide(t, stores)
}
