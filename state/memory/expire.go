package memory

import (
	"context"
	"slices"
	"time"

	"github.com/holdfast-run/holdfast/state"
)

// Expire removes what is no longer needed.
func (d *Driver) Expire(_ context.Context, e state.Expiry) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, removed := time.Now(), 0
	for id, s := range d.sessions {
		if now.Sub(s.touched) > e.Idle && !d.needed(s) {
			delete(d.sessions, id)
			if h := d.holds[id]; h != nil { // it has lapsed: it must not commit what it read
				h.release()
			}
			removed++
			continue
		}
		s.forget(now.Add(-e.Ledger))
	}
	d.forgetStarters(now.Add(-e.Idle))
	return removed, nil
}

// needed reports that a session is held, or has tasks that run or are to run.
func (d *Driver) needed(s *session) bool {
	id := s.record.Session
	h := d.holds[id]
	return (h != nil && time.Now().Before(h.until)) || len(s.record.Tasks) > 0 ||
		slices.ContainsFunc(d.outbox, func(p state.Pending) bool { return p.Session == id })
}

// forget drops the ledger of owners that have been silent since before the time and are no task of the session.
func (s *session) forget(before time.Time) {
	for id, o := range s.owners {
		runs := slices.ContainsFunc(s.record.Tasks, func(t state.Task) bool { return string(t.ID) == id })
		if runs || !o.last.Before(before) {
			continue
		}
		for _, call := range o.calls {
			delete(s.ledger, call.key)
		}
		delete(s.owners, id)
	}
}
