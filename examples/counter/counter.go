// Package counter is the example of the original's documentation: a counter that a background task counts up, twice a
// second, while the page stays usable.
package counter

import (
	"embed"
	"io/fs"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/workflows"
)

// State is what a session of the counter holds.
type State struct {
	Counter    int  `json:"counter"`
	MaxCounter int  `json:"max_counter"`
	Running    bool `json:"running"`
	NTasks     int  `json:"_n_tasks"` // leading underscore: stored, never sent to the browser
	Leaving    bool `json:"_leaving"` // the task has seen that it should stop, and is about to end
}

//go:embed page
var page embed.FS

// App lists what the counter is made of.
func App() *holdfast.App {
	app := holdfast.NewApp("counter", State{MaxCounter: 10})
	app.Events(SetMaxCounter, ToggleRunning, ClearCounter)
	app.Sections(begin, step, end)
	app.Tasks(MyTask)
	app.Page(must(fs.Sub(page, "page")))
	return app
}

// SetMaxCounter changes the number to count to, also while a task counts.
func SetMaxCounter(_ *holdfast.Tx, s *State, maximum int) error {
	if maximum < 0 {
		return holdfast.Reject("the maximum must be 0 or more")
	}
	s.MaxCounter = maximum
	return nil
}

// ToggleRunning starts the task, or tells the one that runs to stop at its next step.
func ToggleRunning(tx *holdfast.Tx, s *State) error {
	s.Running = !s.Running
	if s.Running {
		tx.Start(MyTask) // starts after the commit, if and only if it commits
	}
	return nil
}

// ClearCounter begins at zero again.
func ClearCounter(_ *holdfast.Tx, s *State) error {
	s.Counter = 0
	return nil
}

// MyTask counts up every half second. It is an ordinary Temporal workflow function.
func MyTask(ctx workflow.Context) error {
	started, err := workflows.Locked(ctx, begin)
	if err != nil || !started {
		return err
	}
	workflows.Finally(ctx, end) // also when cancelled
	return workflows.Every(ctx, 500*time.Millisecond, step)
}

// begin admits only one task at a time, beside one that is about to end.
func begin(_ *holdfast.Tx, s *State) (started bool, err error) {
	if s.NTasks > 0 && !s.Leaving {
		return false, nil
	}
	s.NTasks++
	s.Leaving = false
	return true, nil
}

// step counts, or finds that it is time to stop.
func step(_ *holdfast.Tx, s *State) (more bool, err error) {
	if s.Counter >= s.MaxCounter {
		s.Running = false
	}
	if !s.Running {
		s.Leaving = true
		return false, nil
	}
	s.Counter++
	return true, nil
}

// end gives the place free. A task that was cancelled has not seen a reason to stop, so the button is set back here.
func end(_ *holdfast.Tx, s *State) error {
	s.NTasks--
	if s.NTasks == 0 && !s.Leaving {
		s.Running = false
	}
	return nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
