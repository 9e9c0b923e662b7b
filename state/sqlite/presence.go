package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Beat makes the starter's lease last for so long from now.
func (d *Driver) Beat(ctx context.Context, starter string, lease time.Duration) error {
	_, err := d.writer.ExecContext(ctx, "INSERT INTO starters (id, until) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET until = ?2", starter, d.now()+lease.Microseconds())
	if err != nil {
		return fmt.Errorf("sqlite: beat: %w", err)
	}
	return nil
}

// Present notes whether the starter holds a connection of the session.
func (d *Driver) Present(ctx context.Context, session holdfast.SessionID, starter string, present bool) error {
	statement := "DELETE FROM presence WHERE session = ? AND starter = ?"
	if present {
		statement = "INSERT INTO presence (session, starter) VALUES (?, ?) ON CONFLICT DO NOTHING"
	}
	if _, err := d.writer.ExecContext(ctx, statement, session, starter); err != nil {
		return fmt.Errorf("sqlite: note the presence: %w", err)
	}
	return nil
}

// Presence returns the starters that hold a connection of the session.
func (d *Driver) Presence(ctx context.Context, session holdfast.SessionID) (all []string, err error) {
	err = d.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var starter string
			if err := rows.Scan(&starter); err != nil {
				return err
			}
			all = append(all, starter)
			return nil
		}, "SELECT starter FROM presence JOIN starters ON starters.id = presence.starter WHERE session = ? AND until > ?", session, d.now())
	})
	if err != nil {
		return nil, fmt.Errorf("sqlite: presence: %w", err)
	}
	return all, nil
}

// Lapsed returns what starters without a lease have left behind.
func (d *Driver) Lapsed(ctx context.Context, limit int) (all []state.Absent, err error) {
	err = d.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var a state.Absent
			if err := rows.Scan(&a.Session, &a.Starter); err != nil {
				return err
			}
			all = append(all, a)
			return nil
		}, `SELECT session, starter FROM presence LEFT JOIN starters ON starters.id = presence.starter
			WHERE until IS NULL OR until <= ? LIMIT ?`, d.now(), limit)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlite: lapsed: %w", err)
	}
	return all, nil
}

// Listed returns the sessions that have tasks.
func (d *Driver) Listed(ctx context.Context) (all []state.Listed, err error) {
	err = d.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var l state.Listed
			var tasks []byte
			if err := rows.Scan(&l.Session, &tasks); err != nil {
				return err
			}
			all = append(all, l)
			return json.Unmarshal(tasks, &all[len(all)-1].Tasks)
		}, "SELECT id, tasks FROM sessions WHERE tasks <> '[]'")
	})
	if err != nil {
		return nil, fmt.Errorf("sqlite: listed: %w", err)
	}
	return all, nil
}
