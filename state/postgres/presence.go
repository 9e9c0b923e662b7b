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

// renewLease keeps the term of a lease that lasts, and draws another one for a lease that
// has lapsed. A term grows with the server's clock, so that a starter whose row was
// removed does not get an earlier one again.
const renewLease = `INSERT INTO starters AS s (id, until, term)
	VALUES ($1, clock_timestamp() + $2::interval, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
	ON CONFLICT (id) DO UPDATE SET until = excluded.until,
		term = CASE WHEN s.until > clock_timestamp() THEN s.term ELSE greatest(s.term + 1, excluded.term) END
	RETURNING term, (SELECT count(*) FROM starters AS o WHERE o.id <> $1 AND o.until > clock_timestamp())`

// RenewLease makes the starter's lease last for so long from now.
func (d *Driver) RenewLease(ctx context.Context, starter string, lease time.Duration) (renewed state.Lease, err error) {
	err = d.list(ctx, func(rows pgx.Rows) error { return rows.Scan(&renewed.Term, &renewed.Others) }, renewLease, starter, lease)
	if err != nil {
		return state.Lease{}, fmt.Errorf("postgres: renew the lease: %w", err)
	}
	return renewed, nil
}

// SetPresence notes what the starter holds of the session.
func (d *Driver) SetPresence(ctx context.Context, session holdfast.SessionID, starter string, is state.PresenceState) error {
	if is == state.PresenceNone {
		_, err := d.exec(ctx, "note the presence", "DELETE FROM presence WHERE session = $1 AND starter = $2", string(session), starter)
		return err
	}
	const statement = `INSERT INTO presence (session, starter, state) VALUES ($1, $2, $3)
		ON CONFLICT (session, starter) DO UPDATE SET state = $3`
	_, err := d.exec(ctx, "note the presence", statement, string(session), starter, string(is))
	return err
}

// notes selects what starters have noted.
const notes = `SELECT * FROM (SELECT session, starter, state, coalesce(until <= clock_timestamp(), true) AS lapsed
	FROM presence LEFT JOIN starters ON starters.id = presence.starter) AS notes `

// Presence returns what starters have noted of the session.
func (d *Driver) Presence(ctx context.Context, session holdfast.SessionID) ([]state.Presence, error) {
	all, err := d.notes(ctx, notes+"WHERE session = $1", string(session))
	if err != nil {
		return nil, fmt.Errorf("postgres: presence: %w", err)
	}
	return all, nil
}

// Lapsed returns the notes of starters without a lease.
func (d *Driver) Lapsed(ctx context.Context, limit int) ([]state.Presence, error) {
	all, err := d.notes(ctx, notes+"WHERE lapsed LIMIT $1", limit)
	if err != nil {
		return nil, fmt.Errorf("postgres: lapsed: %w", err)
	}
	return all, nil
}

func (d *Driver) notes(ctx context.Context, query string, args ...any) (all []state.Presence, err error) {
	err = d.list(ctx, func(rows pgx.Rows) error {
		all = append(all, state.Presence{})
		p := &all[len(all)-1]
		return rows.Scan(&p.Session, &p.Starter, &p.State, &p.Lapsed)
	}, query, args...)
	return all, err
}

// removeLapsed waits for a renewal that is under way, and keeps the next one waiting:
// between its look at the lease and its end the starter gets none.
const removeLapsed = `WITH lease AS MATERIALIZED (SELECT until FROM starters WHERE id = $2 FOR SHARE)
	DELETE FROM presence WHERE session = $1 AND starter = $2
		AND NOT EXISTS (SELECT FROM lease WHERE until > clock_timestamp())`

// RemoveLapsed removes the note of a starter without a lease.
func (d *Driver) RemoveLapsed(ctx context.Context, session holdfast.SessionID, starter string) (gone bool, err error) {
	removed, err := d.exec(ctx, "remove a dead starter's presence", removeLapsed, string(session), starter)
	if err != nil || removed > 0 {
		return err == nil, err
	}
	all, err := d.notes(ctx, notes+"WHERE session = $1 AND starter = $2", string(session), starter)
	if err != nil {
		return false, fmt.Errorf("postgres: presence: %w", err)
	}
	return len(all) == 0, nil
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
