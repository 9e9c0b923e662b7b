package workflows

import (
	"encoding/json"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// Checkpoint lets a loop of the task's own, such as a plain for over [Locked], go on for as long as it takes. It is called at the
// top of each turn of the loop, with a pointer to what the loop keeps in variables:
//
//	at := struct{ Page int }{}
//	for {
//		if err := workflows.Checkpoint(ctx, &at); err != nil {
//			return err
//		}
//		… at.Page++ …
//	}
//
// When the history has grown as far as the server suggests, it returns an error that the task hands on, the task continues as
// new, and the first Checkpoint of the next run fills in the variables as they were. What came before the loop is not run again.
// A task has one such loop at most; the value must be one that JSON can hold.
func Checkpoint(ctx workflow.Context, value any) error {
	r, err := topRunOf(ctx, "Checkpoint")
	if err != nil {
		return err
	}
	if r.anchor == 0 {
		return r.enterLoop(value)
	}
	if !r.long(ctx) {
		return nil
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return misuse("workflows.Checkpoint: encode the value: %v", err)
	}
	r.carry.Checkpoint = &wire.Checkpoint{Place: r.anchor, Position: r.position, Value: raw}
	for _, position := range workflow.DeterministicKeys(r.carry.Steps) {
		if position > r.anchor {
			delete(r.carry.Steps, position)
		}
	}
	r.leaving = true
	return errLeaving
}

// enterLoop is the first checkpoint of a run. Positions go on where those of the run before ended, so that no two turns of the loop
// share the keys of their sections.
func (r *run) enterLoop(value any) error {
	r.anchor = r.next()
	c := r.carry.Checkpoint
	if c == nil {
		return nil
	}
	if c.Place != r.anchor {
		return misuse("workflows.Checkpoint: the loop began at step %d before the task continued as new and begins at step %d now", c.Place, r.anchor)
	}
	r.position = c.Position
	if err := json.Unmarshal(c.Value, value); err != nil {
		return misuse("workflows.Checkpoint: decode the value: %v", err)
	}
	return nil
}
