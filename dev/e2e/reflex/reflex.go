// Package reflex is the app of the original's own end-to-end test: handlers, tasks and states under the names that they have there.
package reflex

import (
	"embed"
	"io/fs"
	"time"

	"github.com/holdfast-run/holdfast"
)

// State is what the page shows.
type State struct {
	Counter    int `json:"counter"`
	TaskID     int `json:"_task_id"` //nolint:tagliatelle // hidden from the page
	Iterations int `json:"iterations"`
}

// View adds the computed copy of the counter, and what only the test may see of the hidden part.
func (s *State) View() any {
	return map[string]int{"counter": s.Counter, "counter_copy": s.Counter, "iterations": s.Iterations, "task_id": s.TaskID}
}

// OtherState works on State.
type OtherState struct {
	Calls int `json:"calls"`
}

// ThirdState does so too, on behalf of OtherState.
type ThirdState struct {
	Tripled int `json:"tripled"`
}

//go:embed page
var page embed.FS

// App is the app under a name of one's choice; its tasks may be inline.
func App(name string, inline bool) *holdfast.App {
	app := holdfast.NewApp(name, State{Iterations: 10})
	app.States(OtherState{}, ThirdState{})
	app.Events(SetIterations, Increment, BlockingPause, Delayed, YieldOnly, Racy, NonBlockingPause, Nested, Other, Midway)
	app.Sections(newTask, add, addAndCall, addTripled, callMidway, nest)
	for _, task := range []any{
		HandleEvent, HandleEventYieldOnly, HandleRacyEvent, IncrementArbitrary, Pause, NestedLock, IncrementOther, TriggerMidway,
	} {
		app.Tasks(holdfast.With(task, holdfast.TaskOptions{Inline: inline}))
	}
	app.Activities(NestedCall)
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err)
	}
	app.Page(files)
	return app
}

// SetIterations sets how often a task adds.
func SetIterations(_ *holdfast.Tx, s *State, n int) error { s.Iterations = n; return nil }

// Increment adds one.
func Increment(_ *holdfast.Tx, s *State) error { s.Counter++; return nil }

// BlockingPause keeps the session for itself.
func BlockingPause(*holdfast.Tx, *State) error { time.Sleep(pause); return nil }

// The other events start a task each.

// Delayed starts HandleEvent.
func Delayed(tx *holdfast.Tx, _ *State) error { tx.Start(HandleEvent); return nil }

// YieldOnly starts HandleEventYieldOnly.
func YieldOnly(tx *holdfast.Tx, _ *State) error { tx.Start(HandleEventYieldOnly); return nil }

// Racy starts HandleRacyEvent.
func Racy(tx *holdfast.Tx, _ *State) error { tx.Start(HandleRacyEvent); return nil }

// NonBlockingPause starts Pause.
func NonBlockingPause(tx *holdfast.Tx, _ *State) error { tx.Start(Pause); return nil }

// Nested starts NestedLock.
func Nested(tx *holdfast.Tx, _ *State) error { tx.Start(NestedLock); return nil }

// Other starts IncrementOther.
func Other(tx *holdfast.Tx, _ *State) error { tx.Start(IncrementOther); return nil }

// Midway starts TriggerMidway.
func Midway(tx *holdfast.Tx, _ *State) error { tx.Start(TriggerMidway); return nil }
