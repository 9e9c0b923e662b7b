package state

import (
	"context"

	"github.com/holdfast-run/holdfast"
)

// TaskStuck notes that a listed task does not move, and why, in a sentence for people; or, with no reason, that it moves again.
// It reports whether that is news. A task that is being cancelled stays so, with the reason beside it.
func (s *Service) TaskStuck(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, reason string) (news bool, err error) {
	err = s.lifecycle(ctx, session, func(d *draft) error {
		news = false
		i := d.indexOf(id)
		if i < 0 || !d.Tasks[i].Live() || d.Tasks[i].Status == StatusStarting {
			return nil
		}
		t := &d.Tasks[i]
		before := *t
		t.Error = reason
		switch {
		case t.Status == StatusRunning && reason != "":
			t.Status = StatusStuck
		case t.Status == StatusStuck && reason == "":
			t.Status = StatusRunning
		}
		news = t.Status != before.Status || t.Error != before.Error
		d.TasksChanged = d.TasksChanged || news
		return nil
	})
	return news, err
}

// moves notes that a workflow has made a call: it has been started, and it is not stuck.
func (d *draft) moves(id holdfast.TaskID) {
	i := d.indexOf(id)
	if i < 0 {
		return
	}
	t := &d.Tasks[i]
	switch t.Status {
	case StatusStarting:
		d.starts(i)
	case StatusStuck:
		t.Status, t.Error = StatusRunning, ""
		d.TasksChanged = true
	}
}

// starts notes that the workflow of a listed task was started.
func (d *draft) starts(i int) {
	t := &d.Tasks[i]
	t.Status = StatusRunning
	d.TasksChanged = true
	d.Settled = append(d.Settled, string(t.ID))
	d.tally(t.Name, "")
}
