package reflex

import (
	"context"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/workflows"
)

const (
	delay = 5 * time.Millisecond  // between two additions
	pause = 20 * time.Millisecond // of the events that only wait
)

// HandleEvent adds one, again and again.
func HandleEvent(ctx workflow.Context) error {
	iterations, err := workflows.Locked(ctx, newTask)
	if err != nil {
		return err
	}
	for range iterations {
		if err := workflows.DoWith(ctx, add, 1); err != nil {
			return err
		}
		if err := workflows.Sleep(ctx, delay); err != nil {
			return err
		}
	}
	return nil
}

// HandleEventYieldOnly has others add: by turns a task and an event.
func HandleEventYieldOnly(ctx workflow.Context) error {
	iterations, err := workflows.Locked(ctx, newTask)
	if err != nil {
		return err
	}
	for i := range iterations {
		if err := workflows.DoWith(ctx, addAndCall, i); err != nil {
			return err
		}
		if err := workflows.Sleep(ctx, delay); err != nil {
			return err
		}
	}
	return nil
}

// HandleRacyEvent is four of HandleEvent side by side in one task.
func HandleRacyEvent(ctx workflow.Context) error {
	const racers = 4
	done := workflow.NewChannel(ctx)
	for range racers {
		workflow.Go(ctx, func(ctx workflow.Context) { done.Send(ctx, HandleEvent(ctx)) })
	}
	var failed error
	for range racers {
		var err error
		if done.Receive(ctx, &err); err != nil {
			failed = err
		}
	}
	return failed
}

// IncrementArbitrary adds what it is told.
func IncrementArbitrary(ctx workflow.Context, n int) error { return workflows.DoWith(ctx, add, n) }

// Pause waits without keeping the session.
func Pause(ctx workflow.Context) error { return workflows.Sleep(ctx, pause) }

// NestedLock adds one and then enters a section within a section.
func NestedLock(ctx workflow.Context) error {
	if err := workflows.DoWith(ctx, add, 1); err != nil {
		return err
	}
	_, err := workflows.Step[any](ctx, NestedCall)
	return err
}

// IncrementOther is a task of OtherState that changes State.
func IncrementOther(ctx workflow.Context) error { return workflows.Do(ctx, addTripled) }

// TriggerMidway changes State before and after it triggers an event.
func TriggerMidway(ctx workflow.Context) error { return workflows.Do(ctx, callMidway) }

func newTask(_ *holdfast.Tx, s *State) (iterations int, err error) {
	s.TaskID++
	return s.Iterations, nil
}

func add(_ *holdfast.Tx, s *State, n int) error { s.Counter += n; return nil }

func addAndCall(tx *holdfast.Tx, _ *State, i int) error {
	if i%2 == 0 {
		tx.Start(IncrementArbitrary, 1)
	} else {
		tx.Trigger(Increment)
	}
	return nil
}

func addTripled(tx *holdfast.Tx, o *OtherState) error {
	o.Calls++
	s, third := holdfast.Get[State](tx), holdfast.Get[ThirdState](tx)
	s.Counter = 3 * (s.Counter + 1)
	third.Tripled++
	return nil
}

func callMidway(tx *holdfast.Tx, s *State) error {
	s.Counter++
	tx.Trigger(Increment)
	s.Counter++
	return nil
}

type handleKey struct{}

// NestedCall has a section call a section.
func NestedCall(ctx context.Context) error {
	session, err := activities.Session(ctx)
	if err != nil {
		return err
	}
	return session.Apply(context.WithValue(ctx, handleKey{}, session), nest)
}

func nest(tx *holdfast.Tx, s *State) error {
	s.Counter++
	session, _ := tx.Context().Value(handleKey{}).(*activities.Handle)
	return session.Apply(tx.Context(), add, 1)
}
