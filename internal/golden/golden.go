// Package golden has the tasks whose histories are kept under workflows/testdata: one for each way that a task can take. What
// changes in package workflows must still replay them, as it must replay the histories of tasks that run while it is deployed.
//
// A history shows what the program did when it was recorded, so none is recorded anew when code changes. A new way gets a
// new task here and a new file: make golden.
package golden

import (
	"context"
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

// App lists the tasks and what they use.
func App() *holdfast.App {
	app := holdfast.NewApp("golden", State{})
	app.Events(Ring)
	app.Sections(begin, add, step, many, count, endless, refuse, crash, end)
	app.Activities(Work)
	for _, task := range Tasks() {
		app.Tasks(task)
	}
	return app
}

// Tasks are the tasks by the name of the file that holds their history.
func Tasks() map[string]any {
	return map[string]any{
		"completes":              Completes,
		"fails":                  Fails,
		"panics":                 Panics,
		"is-cancelled":           IsCancelled,
		"continues-as-new":       ContinuesAsNew,
		"is-disconnected":        IsDisconnected,
		"reconnects":             Reconnects,
		"is-superseded":          IsSuperseded,
		"runs-inline":            RunsInline,
		"ends-inline":            EndsInline,
		"continues-inline":       ContinuesInline,
		"is-partly-inline":       IsPartlyInline,
		"has-a-checkpoint":       HasACheckpoint,
		"sleeps-on":              SleepsOn,
		"asks":                   Asks,
		"continues-disconnected": ContinuesDisconnected,
		"tells-its-finally":      TellsItsFinally,
		"ends-its-coroutines":    EndsItsCoroutines,
		"panics-aside":           PanicsAside,
		"is-updated":             IsUpdated,
	}
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

// IsDisconnected loops until its page has been away for the grace period.
func IsDisconnected(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	err := workflows.Every(ctx, time.Minute, endless)
	if !errors.Is(workflows.Cause(ctx), workflows.ErrDisconnected) {
		return errors.New("the cause does not say so")
	}
	return err
}

// Reconnects loops while its page goes and comes back, by way of another starter, and is cancelled then.
func Reconnects(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	return workflows.Every(ctx, time.Minute, endless)
}

// IsSuperseded gives way to a task of its name.
func IsSuperseded(ctx workflow.Context, _ int) error {
	workflows.Finally(ctx, end)
	return workflows.Every(ctx, time.Minute, endless)
}

// RunsInline does everything in the worker.
func RunsInline(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	if err := workflows.Do(ctx, begin); err != nil {
		return err
	}
	if err := workflows.Times(ctx, 3, 5*time.Millisecond, count); err != nil {
		return err
	}
	return workflows.Sleep(ctx, 150*time.Millisecond)
}

// EndsInline is over in one turn.
func EndsInline(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	return workflows.Times(ctx, 3, 5*time.Millisecond, count)
}

// ContinuesInline is like RunsInline with sleeps that are too long for it, until its history is long enough, and then for a while.
func ContinuesInline(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	for i := range 15 {
		if _, err := workflows.LockedWith(ctx, add, i); err != nil {
			return err
		}
	}
	return workflows.Times(ctx, 30, 15*time.Millisecond, count)
}

// IsPartlyInline has a hot loop between regular sections.
func IsPartlyInline(ctx workflow.Context) error {
	if err := workflows.Do(ctx, begin); err != nil {
		return err
	}
	if err := workflows.Times(workflows.Inline(ctx), 5, 0, count); err != nil {
		return err
	}
	return workflows.Do(ctx, end)
}

// HasACheckpoint has a loop of its own, which continues as new once.
func HasACheckpoint(ctx workflow.Context) error {
	if err := workflows.Do(ctx, begin); err != nil {
		return err
	}
	at := struct{ Turn, Total int }{}
	for at.Turn < 15 {
		if err := workflows.Checkpoint(ctx, &at); err != nil {
			return err
		}
		total, err := workflows.LockedWith(ctx, add, at.Turn)
		if err != nil {
			return err
		}
		at.Turn, at.Total = at.Turn+1, at.Total+total
	}
	if at.Total != 560 {
		return errors.New("the loop did not go on where it was")
	}
	return nil
}

// SleepsOn has no loop that is ours, and continues as new in a sleep.
func SleepsOn(ctx workflow.Context) error {
	for range 15 {
		if err := workflows.Do(ctx, begin); err != nil {
			return err
		}
		if err := workflows.Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// Asks starts a task, triggers an event, runs an activity and reads the state.
func Asks(ctx workflow.Context) (int, error) {
	if err := workflows.Start(ctx, IsSuperseded, 1); err != nil {
		return 0, err
	}
	if err := workflows.Trigger(ctx, Ring, "bell"); err != nil {
		return 0, err
	}
	doubled, err := workflows.Step[int](ctx, Work, 21)
	if err != nil {
		return 0, err
	}
	state, err := workflows.Read[State](ctx)
	return doubled + state.Counter, err
}

// ContinuesDisconnected loses its page, continues as new, and is cancelled when the grace period that began before is over.
func ContinuesDisconnected(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	return workflows.Every(ctx, 20*time.Millisecond, endless)
}

// TellsItsFinally waits before any section names its Finally section.
func TellsItsFinally(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	if err := workflows.Sleep(ctx, 20*time.Millisecond); err != nil {
		return err
	}
	_, err := workflows.Step[int](ctx, Work, 21)
	return err
}

// EndsItsCoroutines returns while a coroutine loops and another waits for a section.
func EndsItsCoroutines(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	workflow.Go(ctx, func(ctx workflow.Context) { _ = workflows.Every(ctx, time.Minute, endless) })
	if err := workflows.Sleep(ctx, 50*time.Millisecond); err != nil {
		return err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		free, stop := workflow.NewDisconnectedContext(ctx)
		defer stop()
		_ = workflows.Do(free, begin)
	})
	return workflow.Sleep(ctx, 0)
}

// PanicsAside has a coroutine that panics while the function waits for good.
func PanicsAside(ctx workflow.Context) error {
	workflows.Finally(ctx, end)
	workflow.Go(ctx, func(ctx workflow.Context) {
		_ = workflows.Do(ctx, begin)
		panic("aside")
	})
	workflow.NewChannel(ctx).Receive(ctx, nil)
	return nil
}

// IsUpdated runs a section in an update handler.
func IsUpdated(ctx workflow.Context) error {
	err := workflow.SetUpdateHandler(ctx, "add", func(ctx workflow.Context, n int) error {
		_, err := workflows.LockedWith(ctx, add, n)
		return err
	})
	if err != nil {
		return err
	}
	return workflows.Every(ctx, time.Minute, endless)
}

// Ring is an event.
func Ring(_ *holdfast.Tx, s *State, what string) error { s.Log = append(s.Log, what); return nil }

// Work is an ordinary activity.
func Work(_ context.Context, n int) (int, error) { return 2 * n, nil }

func begin(_ *holdfast.Tx, s *State) error { s.Log = append(s.Log, "begin"); return nil }

func add(_ *holdfast.Tx, s *State, n int) (int, error) { s.Counter += n; return s.Counter, nil }

func step(_ *holdfast.Tx, s *State) (more bool, err error) { s.Counter++; return s.Counter < 6, nil }

func many(_ *holdfast.Tx, s *State) (more bool, err error) { s.Counter++; return s.Counter < 15, nil }

func count(_ *holdfast.Tx, s *State, _ int) error { s.Counter++; return nil }

func endless(_ *holdfast.Tx, s *State) (more bool, err error) { s.Counter++; return true, nil }

func refuse(*holdfast.Tx, *State) error { return errors.New("no more seats") }

func crash(*holdfast.Tx, *State) error { panic("out of cheese") }

func end(_ *holdfast.Tx, s *State) error { s.Log = append(s.Log, "end"); return nil }
