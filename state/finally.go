package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/holdfast-run/holdfast"
)

// TaskRegistered notes the Finally sections that a run of a task has registered so far, by name and in that order; chain is the
// first run id of its chain of runs. A section of the task notes them as well ([Call.Finally]), so only a task needs it that runs
// none after it registered one. The error wraps [holdfast.ErrTaskEnded] for a run that has ended; for a task that is not listed
// it does nothing. It may be repeated.
func (s *Service) TaskRegistered(
	ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, chain, run string, finally []string,
) error {
	return s.lifecycleOf(ctx, Claim{Session: session, Owner: string(id)}, func(d *draft, held Held) error {
		mark := &taskMark{}
		if _, err := decodeMark(held, mark); err != nil {
			return err
		}
		if _, err := mark.admits(run, false); err != nil {
			return fmt.Errorf("task %s: %w", id, err)
		}
		d.moves(id)
		d.register(id, chain, finally)
		return nil
	})
}

// TaskLost is [Service.TaskEndedAs] for a task that ended without a word: it was terminated, timed out or is not there. The Finally
// sections that it had registered, the last one first, become rows of the outbox in the same commit; one that the task has run
// itself, the ledger knows.
func (s *Service) TaskLost(
	ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, run string, how Ending, failure string,
) error {
	return s.endTask(ctx, session, id, run, func(d *draft, t Task, run string) {
		d.end(t, how, failure)
		d.finally(t, run)
	})
}

// FinallyCall is the call that a row of kind [KindFinally] asks for: the one that the task would have made. The handler is the
// section of the row's name. If it turns out to be a repeat, the row has to be settled.
func FinallyCall(row Pending, handler *holdfast.Handler) (Call, error) {
	var due finallyDue
	if err := json.Unmarshal(row.Argument, &due); err != nil {
		return Call{}, fmt.Errorf("read what keys the Finally section %s: %w", row.Name, err)
	}
	return Call{
		// It has no Task: the run has ended, and what it calls is refused.
		Handler: handler, Session: row.Session, Settles: row.ID, Kind: CallSection,
		Key: FinallyKey(row.Task, due.Chain, due.Run, handler.Name(), due.Number),
	}, nil
}

// FinallyKey is the key under which a run of a task calls the Finally section that it registered as the n-th, from 1. Each run
// that comes to its end cleans up, also one that was reset after another had: so the run is part of it.
func FinallyKey(id holdfast.TaskID, chain, run, section string, n int) Key {
	return Key{
		Owner: string(id), Chain: chain + "/" + run, Position: fmt.Sprintf("end.%d", n),
		Fingerprint: Fingerprint(section, nil),
	}
}

// finallyDue keys a Finally section that is due.
type finallyDue struct {
	Chain  string `json:"chain"`
	Run    string `json:"run"`
	Number int    `json:"number"`
}

// finally puts the Finally sections of a task into the outbox that ended without them.
func (d *draft) finally(t Task, run string) {
	for i, name := range slices.Backward(t.Finally) {
		argument, _ := json.Marshal(finallyDue{Chain: t.Chain, Run: run, Number: i + 1}) //nolint:errchkjson // strings and a number
		d.Pending = append(d.Pending, Pending{
			ID: fmt.Sprintf("%s/end.%d/%s", t.ID, i+1, run), Kind: KindFinally, Session: d.record.Session, Task: t.ID,
			App: d.record.Session.App(), Name: name, Argument: argument, At: d.At, Trace: d.trace,
		})
	}
}

// register notes the Finally sections of a listed task. Each run of a chain registers them anew from the top: as long as it only
// repeats what is known, more are still due.
func (d *draft) register(id holdfast.TaskID, chain string, finally []string) {
	i := d.indexOf(id)
	if i < 0 || !d.Tasks[i].Live() || len(finally) == 0 {
		return
	}
	t := &d.Tasks[i]
	known := len(finally) <= len(t.Finally) && slices.Equal(finally, t.Finally[:len(finally)])
	if known && chain == t.Chain {
		return
	}
	if !known {
		t.Finally = slices.Clone(finally)
	}
	t.Chain = chain
	d.TasksChanged = true
}
