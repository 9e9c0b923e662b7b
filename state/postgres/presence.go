package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Beat makes the starter's lease last for so long from now.
func (d *Driver) Beat(ctx context.Context, starter string, lease time.Duration) error {
	const statement = `INSERT INTO starters (id, until) VALUES ($1, clock_timestamp() + $2::interval)
		ON CONFLICT (id) DO UPDATE SET until = clock_timestamp() + $2::interval`
	_, err := d.exec(ctx, "beat", statement, starter, lease)
	return err
}

// Present notes whether the starter holds a connection of the session.
func (d *Driver) Present(ctx context.Context, session holdfast.SessionID, starter string, present bool) error {
	statement := "DELETE FROM presence WHERE session = $1 AND starter = $2"
	if present {
		statement = "INSERT INTO presence (session, starter) VALUES ($1, $2) ON CONFLICT DO NOTHING"
	}
	_, err := d.exec(ctx, "note the presence", statement, string(session), starter)
	return err
}

// Presence returns the starters that hold a connection of the session.
func (d *Driver) Presence(ctx context.Context, session holdfast.SessionID) (all []string, err error) {
	err = d.list(ctx, func(rows pgx.Rows) error {
		all = append(all, "")
		return rows.Scan(&all[len(all)-1])
	}, `SELECT starter FROM presence JOIN starters ON starters.id = starter
		WHERE session = $1 AND until > clock_timestamp()`, string(session))
	if err != nil {
		return nil, fmt.Errorf("postgres: presence: %w", err)
	}
	return all, nil
}

// Lapsed returns what starters without a lease have left behind.
func (d *Driver) Lapsed(ctx context.Context, limit int) (all []state.Absent, err error) {
	err = d.list(ctx, func(rows pgx.Rows) error {
		all = append(all, state.Absent{})
		a := &all[len(all)-1]
		return rows.Scan(&a.Session, &a.Starter)
	}, `SELECT session, starter FROM presence LEFT JOIN starters ON starters.id = presence.starter
		WHERE until IS NULL OR until <= clock_timestamp() LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("postgres: lapsed: %w", err)
	}
	return all, nil
}

// Listed returns the sessions that have tasks.
func (d *Driver) Listed(ctx context.Context) (all []state.Listed, err error) {
	err = d.list(ctx, func(rows pgx.Rows) error {
		var l state.Listed
		var tasks []byte
		if err := rows.Scan(&l.Session, &tasks); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		all = append(all, l)
		return json.Unmarshal(tasks, &all[len(all)-1].Tasks)
	}, "SELECT session, tasks FROM sessions WHERE task_ids <> '{}'")
	if err != nil {
		return nil, fmt.Errorf("postgres: listed: %w", err)
	}
	return all, nil
}
