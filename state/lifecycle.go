package state

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-run/holdfast"
)

// MessageTaskFailed is the name of the message that tells the page of a task that ended with an error, or of a triggered event
// that could not be applied. Its data is a [TaskFailed].
const MessageTaskFailed = "holdfast.task_failed"

// TaskFailed is the data of a MessageTaskFailed.
type TaskFailed struct {
	// Task is empty for an event. With one, Name is the task's, or that of a Finally section that failed after the task had ended.
	Task  holdfast.TaskID `json:"task,omitempty"`
	Name  string          `json:"name"`
	Error string          `json:"error"`
}

// ErrNoTask reports a task that is not on its session's list, or has ended.
var ErrNoTask = errors.New("the session has no such task")

// ShowFailed is how long a failed task stays on the list, from when a starter has seen it first.
const ShowFailed = 10 * time.Minute

// Outbox returns rows that wait to be done, oldest first, at most limit of them.
func (s *Service) Outbox(ctx context.Context, limit int) ([]Pending, error) {
	pending, err := s.driver.Outbox(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	return pending, nil
}

// OutboxChanged returns a channel that is closed when there may be something new in the outbox. To miss nothing, take it
// before reading.
func (s *Service) OutboxChanged() <-chan struct{} { return s.hub.outboxChanged() }

// Settle strikes rows out of the outbox that have been done. It may be repeated.
func (s *Service) Settle(ctx context.Context, session holdfast.SessionID, rows ...string) error {
	return s.lifecycle(ctx, session, func(d *draft) error {
		d.Settled = rows
		return nil
	})
}

// TasksStarted notes that the tasks' workflows have been started: they are struck out of the outbox and listed as running. It
// returns those that are not on the list: they have ended meanwhile or were taken off before they ran. It may be repeated.
func (s *Service) TasksStarted(ctx context.Context, session holdfast.SessionID, ids ...holdfast.TaskID) (unlisted []holdfast.TaskID, err error) {
	err = s.lifecycle(ctx, session, func(d *draft) error {
		unlisted = nil
		for _, id := range ids {
			d.Settled = append(d.Settled, string(id)) // also that of a task that is not listed any more
			i := d.indexOf(id)
			if i < 0 {
				unlisted = append(unlisted, id)
			} else if d.Tasks[i].Status == StatusStarting {
				d.starts(i)
			}
		}
		return nil
	})
	return unlisted, err
}

// Ending is how a task ended.
type Ending string

const (
	// EndingCompleted is a task whose function has returned without an error.
	EndingCompleted Ending = "completed"
	// EndingFailed is a task that ended with an error.
	EndingFailed Ending = "failed"
	// EndingCancelled is a task that was asked to end, and did.
	EndingCancelled Ending = "cancelled"
	// EndingLost is a task that ended without a word: its workflow was terminated, timed out, or is not there any more.
	EndingLost Ending = "lost"
	// EndingRefused is a task whose workflow could not be started.
	EndingRefused Ending = "refused"
)

// TaskEnded takes the task off the session's list. With a failure (empty: none) it stays there as failed for a while, and the
// page gets a message. What its run, by Temporal's id, asks for from then on is refused with [holdfast.ErrTaskEnded]; a later run, as of a
// reset, is let in. Empty: no run is. It may be repeated, and does nothing for a run that another has followed.
func (s *Service) TaskEnded(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, run, failure string) error {
	return s.TaskEndedAs(ctx, session, id, run, "", failure)
}

// TaskEndedAs is [Service.TaskEnded] of a caller that knows how the task ended, which the metrics tell. Empty: it is told by the
// failure and by what the list says.
func (s *Service) TaskEndedAs(
	ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, run string, how Ending, failure string,
) error {
	return s.endTask(ctx, session, id, run, func(d *draft, t Task, _ string) { d.end(t, how, failure) })
}

// endTask leaves the tombstone of a run, and calls end if that is the end of a task that is listed. The run that end gets is
// the task's last one, as far as it is known.
func (s *Service) endTask(
	ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, run string, end func(d *draft, t Task, run string),
) error {
	return s.lifecycleOf(ctx, Claim{Session: session, Owner: string(id)}, func(d *draft, held Held) error {
		mark := &taskMark{}
		if _, err := decodeMark(held, mark); err != nil {
			return err
		}
		last := cmp.Or(run, mark.Run)
		theEnd, changed := mark.end(run)
		if changed {
			d.mark(string(id), mark)
		}
		if i := d.indexOf(id); theEnd && i >= 0 && d.Tasks[i].Live() {
			end(d, d.Tasks[i], last)
		}
		return nil
	})
}

// end takes a task off the list, or lists it as failed.
func (d *draft) end(t Task, how Ending, failure string) {
	d.Settled = append(d.Settled, string(t.ID), cancelRow(t.ID, t.Cancels))
	d.tallyEnded(t, how, failure)
	if failure == "" {
		d.unlist(t.ID)
	} else {
		d.tell(TaskFailed{Task: t.ID, Name: t.Name, Error: failure})
		d.fail(t.ID, failure)
	}
	d.release()
}

// tallyEnded counts the end and, where it came before its start could be noted, the start.
func (d *draft) tallyEnded(t Task, how Ending, failure string) {
	switch {
	case how != "":
	case failure != "":
		how = EndingFailed
	case t.Status == StatusCancelling:
		how = EndingCancelled
	default:
		how = EndingCompleted
	}
	if t.Status == StatusStarting && how != EndingRefused {
		d.tally(t.Name, "")
	}
	d.tally(t.Name, how)
}

// EventFailed strikes a triggered event, or a Finally section, out of the outbox that could not be applied, and tells the page. It may be repeated: for a row
// that is not there any more, as that of an event that was applied meanwhile, it does nothing.
func (s *Service) EventFailed(ctx context.Context, row Pending, failure string) error {
	return s.lifecycleOf(ctx, Claim{Session: row.Session, Row: row.ID}, func(d *draft, held Held) error {
		if !held.Waiting() {
			return nil
		}
		d.Settled = []string{row.ID}
		d.tell(TaskFailed{Task: row.Task, Name: row.Name, Error: failure})
		return nil
	})
}

// Request puts tasks to start and events to trigger into the outbox, as a section that asked for them would. Call says for whom: its
// Session, Key, Task, Run and Relist count, and its Handler is not called. A key makes it exactly-once. The error wraps
// [holdfast.ErrBadArgument] for text that cannot be stored and for a session, a task or an event that is not one of the app; else the
// errors are those of [Service.Apply].
func (s *Service) Request(ctx context.Context, app *holdfast.App, call Call, requests ...holdfast.Request) error {
	err := call.checkKey()
	if err == nil {
		err = checkSession(app, call.Session)
	}
	if unfit := checkRequests(app, requests); err == nil && unfit != nil {
		err = fmt.Errorf("%w: %w", holdfast.ErrBadArgument, unfit)
	}
	if err == nil {
		err = s.request(ctx, app, call, requests)
	}
	if err != nil {
		return fmt.Errorf("request of session %s: %w", call.Session, err)
	}
	return nil
}

func (s *Service) request(ctx context.Context, app *holdfast.App, call Call, requests []holdfast.Request) error {
	return s.hold(ctx, call.claim(), func(held Held) (*Commit, error) {
		admission, err := admit(held, &call)
		if err != nil || admission.repeat {
			return nil, err
		}
		d := s.draft(ctx, held.Record())
		d.enter(app, &call, admission, nil)
		d.request(requests)
		return d.finish(), nil
	})
}

// Listed returns all sessions that have tasks on their lists.
func (s *Service) Listed(ctx context.Context) ([]Listed, error) {
	listed, err := s.driver.Listed(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the tasks: %w", err)
	}
	return listed, nil
}

// ForgetFailed takes failed tasks off the session's list. The caller knows, by its own clock, that
// they have been there for [ShowFailed]. It does nothing for tasks that are not listed as failed.
func (s *Service) ForgetFailed(ctx context.Context, session holdfast.SessionID, ids ...holdfast.TaskID) error {
	return s.lifecycle(ctx, session, func(d *draft) error {
		d.dropFailed(func(t Task) bool { return slices.Contains(ids, t.ID) })
		return nil
	})
}

// lifecycle changes the session's tasks under its lock, beside any section. A session that expired stays gone.
func (s *Service) lifecycle(ctx context.Context, session holdfast.SessionID, change func(*draft) error) error {
	return s.lifecycleOf(ctx, Claim{Session: session}, func(d *draft, _ Held) error { return change(d) })
}

// lifecycleOf is lifecycle for a change that depends on what the ledger or the outbox has.
func (s *Service) lifecycleOf(ctx context.Context, claim Claim, change func(*draft, Held) error) error {
	err := s.hold(ctx, claim, func(held Held) (*Commit, error) {
		d := s.draft(ctx, held.Record())
		if err := change(d, held); err != nil {
			return nil, err
		}
		if d.record.Epoch == "" || d.empty() {
			return nil, nil
		}
		return d.finish(), nil
	})
	if err != nil {
		return fmt.Errorf("update the tasks of session %s: %w", claim.Session, err)
	}
	return nil
}

// empty reports a change of the tasks that changes nothing.
func (d *draft) empty() bool {
	return !d.TasksChanged && len(d.Settled) == 0 && len(d.change.Messages) == 0 && d.Entry == nil && d.Marks == nil
}

// tell tells the page of a failure.
func (d *draft) tell(failed TaskFailed) {
	data, _ := json.Marshal(failed) //nolint:errchkjson // strings
	d.emit(MessageTaskFailed, data)
}

func quote(text string) json.RawMessage {
	raw, _ := json.Marshal(text) //nolint:errchkjson // a string
	return raw
}
