package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Commit writes everything while no one else can read, so others see all of it or nothing.
func (h *held) Commit(_ context.Context, c *state.Commit) error {
	d := h.driver
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.holds[h.id] != h {
		return holdfast.ErrLockExpired
	}
	s := d.sessions[h.id]
	if s == nil {
		s = &session{record: state.Record{Session: h.id}, ledger: map[string]entry{}, owners: map[string]*owner{}}
		d.sessions[h.id] = s
	}
	s.write(c)
	s.enter(c)
	d.outbox = slices.DeleteFunc(d.outbox, func(p state.Pending) bool { return slices.Contains(c.Settled, p.ID) })
	d.outbox = append(d.outbox, c.Pending...)
	h.release()
	d.notify(state.Notice{Session: h.id, Outbox: len(c.Pending) > 0})
	return nil
}

func (s *session) write(c *state.Commit) {
	s.touched = time.Now()
	r := &s.record
	r.Epoch, r.Version, r.Revision, r.LastMessage = c.Epoch, c.Version, c.Revision, c.LastMessage
	if r.Documents == nil {
		r.Documents = holdfast.Documents{}
	}
	maps.Copy(r.Documents, c.Documents)
	if c.TasksChanged {
		r.Tasks, r.Deferred = slices.Clone(c.Tasks), slices.Clone(c.Deferred)
	}
	if c.Change != nil {
		s.changes = last(append(s.changes, *c.Change), c.KeepChanges)
		s.messages = last(append(s.messages, c.Change.Messages...), c.KeepMessages)
	}
}

// enter puts the call into the ledger, drops those of its owner that are forgotten, and writes the marks.
func (s *session) enter(c *state.Commit) {
	for name, mark := range c.Marks {
		o := s.owner(name)
		o.mark, o.last = mark, s.touched
	}
	e := c.Entry
	if e == nil {
		return
	}
	s.ledger[e.Key] = entry{result: e.Result}
	o := s.owner(e.Owner)
	o.calls = slices.Insert(o.calls, o.after(e.Seq), call{seq: e.Seq, key: e.Key})
	from, to := o.after(0), max(o.after(0), o.after(e.Forget))
	for _, old := range o.calls[from:to] {
		delete(s.ledger, old.key)
	}
	o.calls = slices.Delete(o.calls, from, to)
}

func (s *session) owner(name string) *owner {
	if s.owners[name] == nil {
		s.owners[name] = &owner{}
	}
	return s.owners[name]
}

// after is the place behind the calls up to the number.
func (o *owner) after(seq int64) int {
	i, _ := slices.BinarySearchFunc(o.calls, seq+1, func(c call, n int64) int { return cmp.Compare(c.seq, n) })
	return i
}

// last keeps the last n of a list, in memory of its own once the list has outgrown it.
func last[T any](list []T, n int64) []T {
	if drop := len(list) - int(n); drop > 0 {
		return slices.Clone(list[drop:])
	}
	return list
}
