package state

import (
	"context"
	"fmt"
	"strconv"

	"github.com/holdfast-run/holdfast"
)

// Cancel asks for the end of one of the session's tasks, or of all of them (an empty id). It returns when that is noted
// durably; the task is then listed as cancelling, and goes off the list when it has ended. One that has not been started yet goes
// off the list at once, and never runs. To cancel a task again that is still cancelling acts again. The key of a page's cancel makes it exactly-once, as that of an event: one that is asked for again, after
// later events, does nothing. The zero Key: each cancel is done. The error wraps [ErrNoTask] for a task that the session's list
// does not have, and [ErrForgotten] as for an event.
func (s *Service) Cancel(ctx context.Context, session holdfast.SessionID, key Key, id holdfast.TaskID, reason string) error {
	call := &Call{Session: session, Key: key}
	return s.lifecycleOf(ctx, call.claim(), func(d *draft, held Held) error {
		admission, err := admit(held, call)
		if err != nil || admission.repeat {
			return err
		}
		d.enter(nil, call, admission, nil)
		if id == "" {
			for _, t := range d.record.Tasks {
				d.cancelOrDrop(t.ID, reason)
			}
			d.release()
			return nil
		}
		if i := d.indexOf(id); i < 0 || !d.Tasks[i].Live() {
			return fmt.Errorf("%w: %q", ErrNoTask, id)
		}
		d.cancelOrDrop(id, reason)
		d.release()
		return nil
	})
}

// cancelOrDrop cancels a task; one that waits for those it supersedes has nothing to cancel yet.
func (d *draft) cancelOrDrop(id holdfast.TaskID, reason string) {
	for _, p := range d.Deferred {
		if p.Task == id {
			d.supersede([]holdfast.TaskID{id})
			return
		}
	}
	d.cancel(id, reason, true)
}

// cancel asks for the end of a listed task; of one that has been asked already only if it is to act again.
func (d *draft) cancel(id holdfast.TaskID, reason string, again bool) {
	i := d.indexOf(id)
	if i < 0 || !d.Tasks[i].Live() || d.Tasks[i].Status == StatusCancelling && !again {
		return
	}
	t := &d.Tasks[i]
	if t.Cancels > 0 {
		d.Settled = append(d.Settled, cancelRow(id, t.Cancels)) // the new row takes its place
	}
	t.Cancels++
	d.TasksChanged = true
	d.Pending = append(d.Pending, Pending{
		ID: cancelRow(id, t.Cancels), Kind: KindCancel, Session: d.record.Session, Task: id,
		App: d.record.Session.App(), Name: t.Name, Argument: quote(reason), At: d.At, Trace: d.trace,
	})
	if t.Status == StatusStarting {
		d.strikeOut(*t)
		return
	}
	t.Status = StatusCancelling
}

// strikeOut takes a task off the list that has not been started, and its start out of the outbox. The start may be under way
// in some relay: the tombstone keeps what it starts from writing anything, and the row of the cancellation ends it.
func (d *draft) strikeOut(t Task) {
	d.Settled = append(d.Settled, string(t.ID))
	d.tally(t.Name, EndingCancelled)
	d.unlist(t.ID)
	d.neverRuns(t.ID)
}

// cancelRow is the id of the row that asks for the end of a task for the n-th time.
func cancelRow(id holdfast.TaskID, n int) string { return string(id) + "/cancel-" + strconv.Itoa(n) }
