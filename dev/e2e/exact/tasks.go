package exact

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/workflows"
)

// Inline makes its turns as fast as it can.
func Inline(ctx workflow.Context, turns int) error {
	workflows.Finally(ctx, endInline)
	return workflows.Times(ctx, turns, 0, turnInline)
}

// Regular makes its turns through Temporal, with a pause between them.
func Regular(ctx workflow.Context, turns int) error {
	const pause = 20 * time.Millisecond
	workflows.Finally(ctx, endRegular)
	return workflows.Times(ctx, turns, pause, turnRegular)
}

// Guarded has a section that waits at a gate before its turns.
func Guarded(ctx workflow.Context, r Run) error {
	workflows.Finally(ctx, endGuarded)
	if err := workflows.DoWith(ctx, passGate, r.Gate); err != nil {
		return err
	}
	return workflows.Times(ctx, r.Turns, 0, turnGuarded)
}

// Bound goes on for as long as a page is there.
func Bound(ctx workflow.Context) error {
	const pause = 500 * time.Millisecond
	workflows.Finally(ctx, endBound)
	return workflows.Every(ctx, pause, turnBound)
}

func turnInline(_ *holdfast.Tx, s *State, i int) error  { return s.turn("inline", i) }
func turnRegular(_ *holdfast.Tx, s *State, i int) error { return s.turn("regular", i) }
func turnGuarded(_ *holdfast.Tx, s *State, i int) error { return s.turn("guarded", i) }

func (s *State) turn(loop string, i int) error {
	s.apply(s.Loops, loop, int64(i)+1)
	return nil
}

// turnBound has no number of its own: what is applied twice shows in that pages saw it.
func turnBound(_ *holdfast.Tx, s *State) (more bool, err error) {
	n := int64(1)
	if bound := s.Loops["bound"]; bound != nil {
		n = bound.Highest + 1
	}
	s.apply(s.Loops, "bound", n)
	return !s.Stop["bound"], nil
}

// passGate is the one turn of the loop "gate".
func passGate(tx *holdfast.Tx, s *State, gate string) error {
	if err := wait(tx, gate); err != nil {
		return err
	}
	s.apply(s.Loops, "gate", 1)
	return nil
}

func endInline(_ *holdfast.Tx, s *State) error  { return s.end("inline") }
func endRegular(_ *holdfast.Tx, s *State) error { return s.end("regular") }
func endGuarded(_ *holdfast.Tx, s *State) error { return s.end("guarded") }
func endBound(_ *holdfast.Tx, s *State) error   { return s.end("bound") }

func (s *State) end(loop string) error {
	s.Ended[loop]++
	return nil
}
