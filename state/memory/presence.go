package memory

import (
	"context"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Beat makes the starter's lease last until the time.
func (d *Driver) Beat(_ context.Context, starter string, until time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.starters[starter] = until
	return nil
}

// Present notes whether the starter holds a connection of the session.
func (d *Driver) Present(_ context.Context, session holdfast.SessionID, starter string, present bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if present {
		d.present[state.Absent{Session: session, Starter: starter}] = true
	} else {
		delete(d.present, state.Absent{Session: session, Starter: starter})
	}
	return nil
}

// Presence returns the starters that hold a connection of the session.
func (d *Driver) Presence(_ context.Context, session holdfast.SessionID, at time.Time) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for p := range d.present {
		if p.Session == session && d.starters[p.Starter].After(at) {
			all = append(all, p.Starter)
		}
	}
	return all, nil
}

// Lapsed returns what starters without a lease have left behind.
func (d *Driver) Lapsed(_ context.Context, at time.Time, limit int) ([]state.Absent, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []state.Absent
	for p := range d.present {
		if !d.starters[p.Starter].After(at) && len(all) < limit {
			all = append(all, p)
		}
	}
	return all, nil
}

// Listed returns the sessions that have tasks.
func (d *Driver) Listed(context.Context) ([]state.Listed, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []state.Listed
	for id, s := range d.sessions {
		if len(s.record.Tasks) > 0 {
			all = append(all, state.Listed{Session: id, Tasks: s.copy().Tasks})
		}
	}
	return all, nil
}
