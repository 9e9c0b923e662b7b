package memory

import (
	"context"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Beat makes the starter's lease last for so long from now.
func (d *Driver) Beat(_ context.Context, starter string, lease time.Duration) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.starters[starter] = time.Now().Add(lease)
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
func (d *Driver) Presence(_ context.Context, session holdfast.SessionID) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for p := range d.present {
		if p.Session == session && d.lives(p.Starter) {
			all = append(all, p.Starter)
		}
	}
	return all, nil
}

// lives requires Driver.mu.
func (d *Driver) lives(starter string) bool { return time.Now().Before(d.starters[starter]) }

// Lapsed returns what starters without a lease have left behind.
func (d *Driver) Lapsed(_ context.Context, limit int) ([]state.Absent, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []state.Absent
	for p := range d.present {
		if !d.lives(p.Starter) && len(all) < limit {
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
