package state

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
)

// A starter's presence lease tells the other starters that it lives. It notes of which sessions it holds a connection, so that when
// its lease lapses the others know whose tasks to tell.

// PresenceLease is how long a starter that is not heard of counts as alive. It beats a few times as often.
const PresenceLease = 12 * time.Second

// Beat renews the starter's presence lease.
func (s *Service) Beat(ctx context.Context, starter string) error {
	if err := s.driver.Beat(ctx, starter, PresenceLease); err != nil {
		return fmt.Errorf("renew the presence lease: %w", err)
	}
	return nil
}

// Present notes whether the starter holds a connection of the session.
func (s *Service) Present(ctx context.Context, session holdfast.SessionID, starter string, present bool) error {
	if err := s.driver.Present(ctx, session, starter, present); err != nil {
		return fmt.Errorf("note the presence of session %s: %w", session, err)
	}
	return nil
}

// Presence returns the starters, of those that live, that hold a connection of the session.
func (s *Service) Presence(ctx context.Context, session holdfast.SessionID) ([]string, error) {
	starters, err := s.driver.Presence(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("look for connections of session %s: %w", session, err)
	}
	return starters, nil
}

// Lapsed returns connections of starters whose lease has lapsed, at most limit of them. Who has told the sessions' tasks
// strikes each out with Present(…, false).
func (s *Service) Lapsed(ctx context.Context, limit int) ([]Absent, error) {
	absent, err := s.driver.Lapsed(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("look for dead starters: %w", err)
	}
	return absent, nil
}

// TasksOf returns the session's list of tasks as it was committed last.
func (s *Service) TasksOf(ctx context.Context, session holdfast.SessionID) ([]Task, error) {
	record, _, err := s.driver.Load(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("read the tasks of session %s: %w", session, err)
	}
	return record.Tasks, nil
}

// Document returns the session's state of this name as it was committed last, without waiting for a lock.
func (s *Service) Document(ctx context.Context, app *holdfast.App, session holdfast.SessionID, name string) ([]byte, error) {
	record, _, err := s.driver.Load(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("read session %s: %w", session, err)
	}
	return app.Document(name, record.Documents), nil
}
