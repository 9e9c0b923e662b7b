// Package golden has the tasks whose histories are kept under workflows/testdata: one for each way that a task can take. What
// changes in package workflows must still replay them, as it must replay the histories of tasks that run while it is deployed.
//
// A history shows what the program did when it was recorded, so none is recorded anew when code changes. A new way gets a
// new task here and a new file: make golden.
package golden

import (
	"errors"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/workflows"
)

// State is what the tasks work on.
type State struct {
	Counter int      `json:"counter"`
	Log     []string `json:"log"`
}

// App lists the tasks and their sections.
func App() *holdfast.App {
	app := holdfast.NewApp("golden", State{})
	app.Events(Run)
	app.Sections(begin, add, step, many, endless, refuse, crash, end)
	app.Tasks(Completes, Fails, Panics, IsCancelled, ContinuesAsNew)
	return app
}

// Tasks are the tasks by the name of the file that holds their history.
func Tasks() map[string]any {
	return map[string]any{
		"completes": Completes, "fails": Fails, "panics": Panics, "is-cancelled": IsCancelled, "continues-as-new": ContinuesAsNew,
	}
}

// Run starts a task by its file's name.
func Run(tx *holdfast.Tx, _ *State, name string) error {
	task, ok := Tasks()[name]
	if !ok {
		return errors.New("there is no such task")
	}
	if name == "completes" {
		tx.Start(task, 3)
		return nil
	}
	tx.Start(task)
	return nil
}

// Completes runs sections of every kind, sleeps, loops, and ends well with a result.
func Completes(ctx workflow.Context, by int) (int, error) {
	if err := workflows.Do(ctx, begin); err != nil {
		return 0, err
	}
	workflows.Finally(ctx, end)
	total, err := workflows.LockedWith(ctx, add, by)
	if err != nil {
		return 0, err
	}
	if err := workflows.Sleep(ctx, 20*time.Millisecond); err != nil {
		return 0, err
	}
	return total, workflows.Every(ctx, 20*time.Millisecond, step)
}

// Fails ends with an error of a section.
func Fails(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	return workflows.Do(ctx, refuse)
}

// Panics ends with a panic in a section that it does not hand on, and then one of its own.
func Panics(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	if err := workflows.Do(ctx, crash); err == nil {
		return errors.New("the section did not panic")
	}
	panic("and the task as well")
}

// IsCancelled loops until it is cancelled.
func IsCancelled(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	return workflows.Every(ctx, time.Minute, endless)
}

// ContinuesAsNew loops until its history is long enough, and then for a while. Its first and its last run are kept.
func ContinuesAsNew(ctx workflow.Context) error {
	if err := workflows.Do(ctx, begin); err != nil {
		return err
	}
	if err := workflows.Sleep(ctx, 10*time.Millisecond); err != nil {
		return err
	}
	workflows.Finally(ctx, end)
	return workflows.Every(ctx, 0, many)
}

func begin(_ *holdfast.Tx, s *State) error { s.Log = append(s.Log, "begin"); return nil }

func add(_ *holdfast.Tx, s *State, n int) (int, error) { s.Counter += n; return s.Counter, nil }

func step(_ *holdfast.Tx, s *State) (more bool, err error) { s.Counter++; return s.Counter < 6, nil }

func many(_ *holdfast.Tx, s *State) (more bool, err error) { s.Counter++; return s.Counter < 15, nil }

func endless(_ *holdfast.Tx, s *State) (more bool, err error) { s.Counter++; return true, nil }

func refuse(*holdfast.Tx, *State) error { return errors.New("no more seats") }

func crash(*holdfast.Tx, *State) error { panic("out of cheese") }

func end(_ *holdfast.Tx, s *State) error { s.Log = append(s.Log, "end"); return nil }
