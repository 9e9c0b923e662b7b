// Package fast is an app for the tests that kill processes: a counter that counts a hundred times a second, and relatives of it.
package fast

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/workflows"
)

// State is what a session of the counter holds.
type State struct {
	Counter int   `json:"counter"`
	Goal    int   `json:"goal"`
	Done    bool  `json:"done"`
	Begun   []int `json:"begun"` // arguments of Newest, as it began
	Ended   []int `json:"ended"` // and ended
}

// App lists what the counter is made of.
func App() *holdfast.App {
	app := holdfast.NewApp("fast", State{Begun: []int{}, Ended: []int{}})
	app.Events(Aim, CountTo, CountSlowlyTo, CountInlineTo, CountOnTo, Supersede)
	app.Sections(step, count, end, begin, ended)
	app.Tasks(
		Count, CountSlowly,
		holdfast.With(CountInline, holdfast.TaskOptions{Inline: true}),
		holdfast.With(CountOn, holdfast.TaskOptions{OnDisconnect: holdfast.ContinueOnDisconnect}),
		holdfast.With(Newest, holdfast.TaskOptions{Concurrency: holdfast.Supersede}),
	)
	return app
}

// CountTo starts a task that counts to the goal.
func CountTo(tx *holdfast.Tx, s *State, goal int) error {
	s.Goal, s.Done = goal, false
	tx.Start(Count)
	return nil
}

// CountSlowlyTo starts one that counts once a second, for tests with many sessions.
func CountSlowlyTo(tx *holdfast.Tx, s *State, goal int) error {
	s.Goal, s.Done = goal, false
	tx.Start(CountSlowly)
	return nil
}

// CountInlineTo starts one that counts inline.
func CountInlineTo(tx *holdfast.Tx, s *State, goal int) error {
	s.Goal, s.Done = goal, false
	tx.Start(CountInline)
	return nil
}

// Aim changes the goal of a task that runs.
func Aim(_ *holdfast.Tx, s *State, goal int) error { s.Goal = goal; return nil }

// CountOnTo starts one that does not mind whether its page is there.
func CountOnTo(tx *holdfast.Tx, s *State, goal int) error {
	s.Goal, s.Done = goal, false
	tx.Start(CountOn)
	return nil
}

// Supersede starts a Newest, which ends the one that runs.
func Supersede(tx *holdfast.Tx, _ *State, n int) error {
	tx.Start(Newest, n)
	return nil
}

// Count counts.
func Count(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	return workflows.Every(ctx, 10*time.Millisecond, step)
}

// CountSlowly counts.
func CountSlowly(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	return workflows.Every(ctx, time.Second, step)
}

// CountOn counts.
func CountOn(ctx workflow.Context) error { return Count(ctx) }

// CountInline counts, without and then with a pause.
func CountInline(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	const hurried = 1000
	if err := workflows.Times(ctx, hurried, 0, count); err != nil {
		return err
	}
	return workflows.Every(ctx, 2*time.Millisecond, step)
}

// Newest does nothing until it is superseded.
func Newest(ctx workflow.Context, n int) error {
	if err := workflows.DoWith(ctx, begin, n); err != nil {
		return err
	}
	workflows.Finally(ctx, ended)
	return workflows.Sleep(ctx, time.Hour)
}

func step(_ *holdfast.Tx, s *State) (more bool, err error) {
	s.Counter++
	return s.Counter < s.Goal, nil
}

func count(_ *holdfast.Tx, s *State, _ int) error { s.Counter++; return nil }

func end(_ *holdfast.Tx, s *State) error { s.Done = true; return nil }

func begin(_ *holdfast.Tx, s *State, n int) error { s.Begun = append(s.Begun, n); return nil }

// ended is for the one that began last: the next begins when it has ended.
func ended(_ *holdfast.Tx, s *State) error {
	s.Ended = append(s.Ended, s.Begun[len(s.Begun)-1])
	return nil
}
