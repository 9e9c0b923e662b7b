package memory

import (
	"context"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// lease is the presence lease of a starter.
type lease struct {
	term  int64
	until time.Time
}

// note names what a starter has noted.
type note struct {
	session holdfast.SessionID
	starter string
}

// RenewLease makes the starter's lease last for so long from now.
func (d *Driver) RenewLease(_ context.Context, starter string, last time.Duration) (state.Lease, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.starters[starter]
	if !d.alive(starter) {
		d.terms++
		l.term = d.terms
	}
	l.until = time.Now().Add(last)
	d.starters[starter] = l
	renewed := state.Lease{Term: l.term}
	for id := range d.starters {
		if id != starter && d.alive(id) {
			renewed.Others++
		}
	}
	return renewed, nil
}

// alive reports that the starter has a lease. It requires Driver.mu.
func (d *Driver) alive(starter string) bool { return time.Now().Before(d.starters[starter].until) }

// SetPresence notes what the starter holds of the session.
func (d *Driver) SetPresence(_ context.Context, session holdfast.SessionID, starter string, is state.PresenceState) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if is == state.PresenceNone {
		delete(d.present, note{session, starter})
	} else {
		d.present[note{session, starter}] = is
	}
	return nil
}

// Presence returns what starters have noted of the session.
func (d *Driver) Presence(_ context.Context, session holdfast.SessionID) ([]state.Presence, error) {
	return d.notes(func(p state.Presence) bool { return p.Session == session }), nil
}

// Lapsed returns the notes of starters without a lease.
func (d *Driver) Lapsed(_ context.Context, limit int) ([]state.Presence, error) {
	all := d.notes(func(p state.Presence) bool { return p.Lapsed })
	return all[:min(limit, len(all))], nil
}

func (d *Driver) notes(wanted func(state.Presence) bool) (all []state.Presence) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n, is := range d.present {
		p := state.Presence{Session: n.session, Starter: n.starter, State: is, Lapsed: !d.alive(n.starter)}
		if wanted(p) {
			all = append(all, p)
		}
	}
	return all
}

// RemoveLapsed removes the note of a starter without a lease.
func (d *Driver) RemoveLapsed(_ context.Context, session holdfast.SessionID, starter string) (gone bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.alive(starter) {
		delete(d.present, note{session, starter})
	}
	_, there := d.present[note{session, starter}]
	return !there, nil
}

// forgetStarters removes leases that ended before the time, of starters that have left
// nothing. It requires Driver.mu.
func (d *Driver) forgetStarters(before time.Time) {
	left := map[string]bool{}
	for n := range d.present {
		left[n.starter] = true
	}
	for id, l := range d.starters {
		if l.until.Before(before) && !left[id] {
			delete(d.starters, id)
		}
	}
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
