package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
)

// MessageTaskFailed is the name of the message that tells the page of a task that ended with an error, or of a triggered event
// that could not be applied. Its data is a [TaskFailed].
const MessageTaskFailed = "holdfast.task_failed"

// TaskFailed is the data of a MessageTaskFailed.
type TaskFailed struct {
	// Task is empty for an event.
	Task  holdfast.TaskID `json:"task,omitempty"`
	Name  string          `json:"name"`
	Error string          `json:"error"`
}

// ErrNoTask reports a task that is not on its session's list, or has ended.
var ErrNoTask = errors.New("the session has no such task")

// showFailed is how long a failed task stays on the list.
const showFailed = 10 * time.Minute

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
			d.Settled = append(d.Settled, string(id))
			i := d.indexOf(id)
			if i < 0 {
				unlisted = append(unlisted, id)
			} else if d.Tasks[i].Status == StatusStarting {
				d.Tasks[i].Status = StatusRunning
				d.TasksChanged = true
				d.tally(d.Tasks[i].Name, "")
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
// page is told. For a task that is not listed it does nothing, so it may be repeated.
func (s *Service) TaskEnded(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, failure string) error {
	return s.TaskEndedAs(ctx, session, id, "", failure)
}

// TaskEndedAs is [Service.TaskEnded] of a caller that knows how the task ended, which the metrics tell. Empty: it is told by the
// failure and by what the list says.
func (s *Service) TaskEndedAs(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, how Ending, failure string) error {
	return s.lifecycle(ctx, session, func(d *draft) error {
		i := d.indexOf(id)
		if i < 0 || !d.Tasks[i].Live() {
			return nil
		}
		d.Settled = []string{string(id), cancelRow(id)}
		d.tallyEnded(d.Tasks[i], how, failure)
		if failure == "" {
			d.unlist(id)
		} else {
			d.tell(TaskFailed{Task: id, Name: d.Tasks[i].Name, Error: failure})
			d.fail(id, failure)
		}
		d.release()
		return nil
	})
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

// TriggerKey is the key of the event that a row triggers: the event is applied, or has failed, once.
func TriggerKey(row Pending) Key {
	const keep = 4000 // more than what relays may do twice at the same time
	return Key{Owner: "outbox", Position: row.ID, Keep: keep}
}

// EventFailed strikes a triggered event out of the outbox that could not be applied, and tells the page. The row's [TriggerKey] goes
// into the ledger, so it may be repeated; for an event that was applied meanwhile it does nothing.
func (s *Service) EventFailed(ctx context.Context, row Pending, failure string) error {
	key := TriggerKey(row)
	return s.lifecycleOnce(ctx, row.Session, key.String(), func(d *draft) error {
		d.Entry = &Entry{Owner: key.Owner, Key: key.String(), Keep: key.Keep}
		d.Settled = []string{row.ID}
		d.tell(TaskFailed{Name: row.Name, Error: failure})
		return nil
	})
}

// Cancel asks for the end of one of the session's tasks, or of all of them (an empty id). It returns when that is noted
// durably; the task is then listed as cancelling, and goes off the list when it has ended. To cancel
// twice is to cancel once. The error wraps [ErrNoTask] for a task that the session's list does not have.
func (s *Service) Cancel(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, reason string) error {
	return s.lifecycle(ctx, session, func(d *draft) error {
		if id == "" {
			for _, t := range d.record.Tasks {
				d.cancelOrDrop(t.ID, reason)
			}
			return nil
		}
		if i := d.indexOf(id); i < 0 || !d.Tasks[i].Live() {
			return fmt.Errorf("%w: %q", ErrNoTask, id)
		}
		d.cancelOrDrop(id, reason)
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
	d.cancel(id, reason)
}

// Request puts tasks to start and events to trigger into the outbox, as a section that asked for them would. A key makes it
// exactly-once. The error wraps [holdfast.ErrBadArgument] for text that cannot be stored.
func (s *Service) Request(ctx context.Context, session holdfast.SessionID, key Key, requests ...holdfast.Request) error {
	err := checkNames(session, key)
	if unfit := checkRequests(requests); err == nil && unfit != nil {
		err = fmt.Errorf("%w: %w", holdfast.ErrBadArgument, unfit)
	}
	if err == nil {
		err = s.request(ctx, session, key, requests)
	}
	if err != nil {
		return fmt.Errorf("request of session %s: %w", session, err)
	}
	return nil
}

func (s *Service) request(ctx context.Context, session holdfast.SessionID, key Key, requests []holdfast.Request) error {
	return s.hold(ctx, session, key.String(), func(held Held) (*Commit, error) {
		if _, found := held.Recorded(); found {
			return nil, nil
		}
		d := s.draft(ctx, held.Record())
		if key.Owner != "" {
			d.Entry = &Entry{Owner: key.Owner, Key: key.String(), Keep: key.Keep}
		}
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

// ForgetFailed takes tasks off the session's list that failed a while ago.
func (s *Service) ForgetFailed(ctx context.Context, session holdfast.SessionID) error {
	return s.lifecycle(ctx, session, func(d *draft) error {
		d.dropFailed(func(t Task) bool { return d.At.Sub(t.Since) > showFailed })
		return nil
	})
}

// FailedLongAgo reports a task that ForgetFailed would take off the list.
func (t Task) FailedLongAgo() bool { return !t.Live() && time.Since(t.Since) > showFailed }

// lifecycle changes the session's tasks under its lock, beside any section. A session that expired stays gone.
func (s *Service) lifecycle(ctx context.Context, session holdfast.SessionID, change func(*draft) error) error {
	return s.lifecycleOnce(ctx, session, "", change)
}

// lifecycleOnce does nothing if the ledger has the key.
func (s *Service) lifecycleOnce(ctx context.Context, session holdfast.SessionID, key string, change func(*draft) error) error {
	err := s.hold(ctx, session, key, func(held Held) (*Commit, error) {
		if _, found := held.Recorded(); found {
			return nil, nil
		}
		d := s.draft(ctx, held.Record())
		if err := change(d); err != nil {
			return nil, err
		}
		if d.record.Epoch == "" || !d.TasksChanged && len(d.Settled) == 0 && len(d.change.Messages) == 0 {
			return nil, nil
		}
		return d.finish(), nil
	})
	if err != nil {
		return fmt.Errorf("update the tasks of session %s: %w", session, err)
	}
	return nil
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
