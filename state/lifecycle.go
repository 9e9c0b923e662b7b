package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/holdfast-run/holdfast"
)

// MessageTaskFailed is the name of the message that tells the page of a task that ended with an error. Its data is a
// [TaskFailed].
const MessageTaskFailed = "holdfast.task_failed"

// TaskFailed is the data of a MessageTaskFailed.
type TaskFailed struct {
	Task  holdfast.TaskID `json:"task"`
	Name  string          `json:"name"`
	Error string          `json:"error"`
}

// Outbox returns tasks that wait for their start, oldest first, at most limit of them.
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

// TaskStarted notes that the task's workflow has been started: it is struck out of the outbox and listed as running. For a
// task that has ended meanwhile it only settles the outbox. It may be repeated.
func (s *Service) TaskStarted(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID) error {
	return s.lifecycle(ctx, session, func(d *draft) error {
		d.Settled = []holdfast.TaskID{id}
		if i := d.indexOf(id); i >= 0 && d.Tasks[i].Status == StatusStarting {
			d.Tasks[i].Status = StatusRunning
			d.TasksChanged = true
		}
		return nil
	})
}

// TaskEnded takes the task off the session's list; a failure (empty: none) is told to the page. For a task that is not listed
// it does nothing, so it may be repeated.
func (s *Service) TaskEnded(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, failure string) error {
	return s.lifecycle(ctx, session, func(d *draft) error {
		i := d.indexOf(id)
		if i < 0 {
			return nil
		}
		d.Settled = []holdfast.TaskID{id}
		d.TasksChanged = true
		if failure != "" {
			data, err := json.Marshal(TaskFailed{Task: id, Name: d.Tasks[i].Name, Error: failure})
			if err != nil {
				return fmt.Errorf("encode the failure: %w", err)
			}
			d.emit(MessageTaskFailed, data)
		}
		d.Tasks = slices.Delete(d.Tasks, i, i+1)
		return nil
	})
}

// lifecycle changes the session's tasks under its lock, beside any section. A session that expired stays gone.
func (s *Service) lifecycle(ctx context.Context, session holdfast.SessionID, change func(*draft) error) error {
	err := s.hold(ctx, session, "", func(held Held) (*Commit, error) {
		d := s.draft(held.Record())
		if err := change(d); err != nil {
			return nil, err
		}
		if !d.TasksChanged && len(d.Settled) == 0 {
			return nil, nil
		}
		return d.finish(), nil
	})
	if err != nil {
		return fmt.Errorf("update the tasks of session %s: %w", session, err)
	}
	return nil
}

func (d *draft) indexOf(id holdfast.TaskID) int {
	return slices.IndexFunc(d.Tasks, func(t Task) bool { return t.ID == id })
}
