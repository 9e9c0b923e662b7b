// A counter that counts a hundred times a second, for the tests that kill its process.
package main

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/dev/allinone"
	"github.com/holdfast-run/holdfast/workflows"
)

// State is what a session of the counter holds.
type State struct {
	Counter int  `json:"counter"`
	Goal    int  `json:"goal"`
	Done    bool `json:"done"`
}

func main() {
	app := holdfast.NewApp("fast", State{})
	app.Events(CountTo)
	app.Sections(step, end)
	app.Tasks(Count)
	allinone.Main(app)
}

// CountTo starts a task that counts to the goal.
func CountTo(tx *holdfast.Tx, s *State, goal int) error {
	s.Goal = goal
	tx.Start(Count)
	return nil
}

// Count counts.
func Count(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	return workflows.Every(ctx, 10*time.Millisecond, step)
}

func step(_ *holdfast.Tx, s *State) (more bool, err error) {
	s.Counter++
	return s.Counter < s.Goal, nil
}

func end(_ *holdfast.Tx, s *State) error {
	s.Done = true
	return nil
}
