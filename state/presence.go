package state

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
)

// PresenceLease is how long a starter counts as alive after it has renewed its presence
// lease. It renews the lease a few times as often. When the lease lapses, the other
// starters tell the tasks of its sessions in its stead.
const PresenceLease = 12 * time.Second

// Lease is a starter's presence lease as it was renewed.
type Lease struct {
	// Term is drawn by the store when the starter gets a lease that it did not have, and
	// stays until that lease lapses. Another term than at the last renewal says that the
	// lease had lapsed in between, however often it was asked for.
	Term int64
	// Others is how many other starters have a lease at this moment.
	Others int
}

// PresenceState is what a starter holds of a session.
type PresenceState string

const (
	// PresenceNone is a starter that holds nothing, and has told the session's tasks so.
	PresenceNone PresenceState = ""
	// PresenceConnected is a starter that holds at least one connection.
	PresenceConnected PresenceState = "connected"
	// PresenceLeaving is a starter that holds no connection any more and has not told all
	// of the session's tasks yet. If it dies before it has, others do.
	PresenceLeaving PresenceState = "leaving"
)

// Presence is a starter's note of what it holds of a session.
type Presence struct {
	Session holdfast.SessionID
	Starter string
	State   PresenceState
	// Lapsed reports that the starter has no lease at this moment.
	Lapsed bool
}

// RenewLease renews the starter's presence lease for [PresenceLease].
func (s *Service) RenewLease(ctx context.Context, starter string) (Lease, error) {
	lease, err := s.driver.RenewLease(ctx, starter, PresenceLease)
	if err != nil {
		return Lease{}, fmt.Errorf("renew the presence lease: %w", err)
	}
	return lease, nil
}

// SetPresence notes what the starter holds of the session. It may be repeated.
func (s *Service) SetPresence(ctx context.Context, session holdfast.SessionID, starter string, is PresenceState) error {
	if err := s.driver.SetPresence(ctx, session, starter, is); err != nil {
		return fmt.Errorf("note the presence of session %s: %w", session, err)
	}
	return nil
}

// Presence returns the starters that hold a connection of the session and have a lease.
func (s *Service) Presence(ctx context.Context, session holdfast.SessionID) ([]string, error) {
	all, err := s.Presences(ctx, session)
	if err != nil {
		return nil, err
	}
	var starters []string
	for _, p := range all {
		if p.State == PresenceConnected && !p.Lapsed {
			starters = append(starters, p.Starter)
		}
	}
	return starters, nil
}

// Presences returns what starters have noted of the session, those that are leaving or
// have no lease included.
func (s *Service) Presences(ctx context.Context, session holdfast.SessionID) ([]Presence, error) {
	all, err := s.driver.Presence(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("read the presence of session %s: %w", session, err)
	}
	return all, nil
}

// Lapsed returns the notes of starters that have no lease, at most limit of them. The
// caller tells the sessions' tasks and then removes each with [Service.RemoveLapsed].
func (s *Service) Lapsed(ctx context.Context, limit int) ([]Presence, error) {
	lapsed, err := s.driver.Lapsed(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("look for dead starters: %w", err)
	}
	return lapsed, nil
}

// RemoveLapsed removes a starter's note of the session while the starter has no lease. It
// reports whether there is no such note any more; if there is, the starter has come back
// and the note is true.
func (s *Service) RemoveLapsed(ctx context.Context, session holdfast.SessionID, starter string) (gone bool, err error) {
	gone, err = s.driver.RemoveLapsed(ctx, session, starter)
	if err != nil {
		return false, fmt.Errorf("remove the presence of a dead starter in session %s: %w", session, err)
	}
	return gone, nil
}

// TasksOf returns the session's list of tasks as it was committed last.
func (s *Service) TasksOf(ctx context.Context, session holdfast.SessionID) ([]Task, error) {
	record, _, err := s.driver.Load(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("read the tasks of session %s: %w", session, err)
	}
	return record.Tasks, nil
}

// Document returns the session's state of this name as it was committed last, without
// waiting for a lock. The error wraps [holdfast.ErrUnknown] for a state that the app does not
// have, and [holdfast.ErrBadArgument] for a session that is not one of the app.
func (s *Service) Document(ctx context.Context, app *holdfast.App, session holdfast.SessionID, name string) ([]byte, error) {
	if err := checkSession(app, session); err != nil {
		return nil, fmt.Errorf("read state %s: %w", name, err)
	}
	record, _, err := s.driver.Load(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("read session %s: %w", session, err)
	}
	doc := app.Document(name, record.Documents)
	if doc == nil {
		return nil, fmt.Errorf("state %q of app %s: %w", name, app.Name(), holdfast.ErrUnknown)
	}
	return doc, nil
}
