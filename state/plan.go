package state

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// plan turns what a section did into what is written; nil when there is nothing.
func (s *Service) plan(ctx context.Context, record *Record, call Call, a *admission, work *work) *Commit {
	d := s.draft(ctx, record)
	d.enter(call.Handler.App(), &call, a, work.outcome.Result)
	if len(work.outcome.Documents) > 0 {
		d.Documents, d.change.States = work.outcome.Documents, work.patches
	}
	if call.Settles != "" {
		d.Settled = append(d.Settled, call.Settles)
	}
	d.request(work.outcome.Requests)
	for _, m := range work.outcome.Messages {
		d.emit(m.Name, m.Data)
	}
	if d.Entry == nil && d.Marks == nil && d.Settled == nil && !work.outcome.Changes() {
		return nil
	}
	return d.finish()
}

// draft is a commit in the making, beside the record that it follows.
type draft struct {
	Commit
	record *Record
	At     time.Time // by the process's clock, for people
	change Change
	trace  string // of who asks for it
}

func (s *Service) draft(ctx context.Context, record *Record) *draft {
	d := &draft{record: record, trace: s.tracer.Trace(ctx), At: time.Now().UTC(), Commit: Commit{
		Epoch:        record.Epoch,
		Version:      record.Version + 1,
		Revision:     record.Revision,
		LastMessage:  record.LastMessage,
		Tasks:        slices.Clone(record.Tasks),
		Deferred:     slices.Clone(record.Deferred),
		KeepChanges:  s.opts.KeepChanges,
		KeepMessages: s.opts.KeepMessages,
	}}
	if d.Epoch == "" {
		d.Epoch = randomID(8)
	}
	return d
}

func (d *draft) emit(name string, data json.RawMessage) {
	d.LastMessage++
	d.change.Messages = append(d.change.Messages, Message{ID: d.LastMessage, Name: name, Data: data, Revision: d.record.Revision + 1})
}

// finish gives the commit a revision if the client can see any of it.
func (d *draft) finish() *Commit {
	tasks := visible(d.Tasks)
	if d.TasksChanged && !slices.EqualFunc(visible(d.record.Tasks), tasks, same) {
		d.change.Tasks = &tasks
	}
	if len(d.change.States) > 0 || d.change.Tasks != nil || len(d.change.Messages) > 0 {
		d.Revision++
		d.change.Revision, d.change.At, d.change.Trace = d.Revision, d.At, d.trace
		d.Change = &d.change
	}
	return &d.Commit
}

// visible is what a page sees of its tasks.
func visible(tasks []Task) []Task {
	seen := make([]Task, len(tasks))
	for i, t := range tasks {
		seen[i] = Task{ID: t.ID, Name: t.Name, Status: t.Status, Since: t.Since, Error: t.Error}
	}
	return seen
}

// same reports two tasks that look the same to a page.
func same(a, b Task) bool {
	return a.ID == b.ID && a.Name == b.Name && a.Status == b.Status && a.Since.Equal(b.Since) && a.Error == b.Error
}

// randomID returns n random characters of a-z and 2-7, five bits each.
func randomID(n int) string {
	return strings.ToLower(rand.Text())[:n]
}
