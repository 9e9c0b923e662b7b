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

// renewLease keeps the term of a lease that lasts, and draws another one for a lease that
// has lapsed. A term grows with the clock, so that a starter whose row was removed does
// not get an earlier one again.
const renewLease = `INSERT INTO starters (id, until, term) VALUES (?1, ?2, ?3)
	ON CONFLICT (id) DO UPDATE SET until = ?2, term = CASE WHEN until > ?3 THEN term ELSE max(term + 1, ?3) END
	RETURNING term`

// RenewLease makes the starter's lease last for so long from now.
func (d *Driver) RenewLease(ctx context.Context, starter string, lease time.Duration) (renewed state.Lease, err error) {
	err = d.write(ctx, func(tx *sql.Tx) error {
		now := d.now()
		if err := tx.QueryRowContext(ctx, renewLease, starter, now+lease.Microseconds(), now).Scan(&renewed.Term); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		const others = "SELECT count(*) FROM starters WHERE id <> ? AND until > ?"
		return tx.QueryRowContext(ctx, others, starter, now).Scan(&renewed.Others)
	})
	if err != nil {
		return state.Lease{}, fmt.Errorf("sqlite: renew the lease: %w", err)
	}
	return renewed, nil
}

// SetPresence notes what the starter holds of the session.
func (d *Driver) SetPresence(ctx context.Context, session holdfast.SessionID, starter string, is state.PresenceState) error {
	statement, args := "DELETE FROM presence WHERE session = ? AND starter = ?", []any{session, starter}
	if is != state.PresenceNone {
		statement = "INSERT INTO presence (session, starter, state) VALUES (?1, ?2, ?3) ON CONFLICT (session, starter) DO UPDATE SET state = ?3"
		args = append(args, is)
	}
	if _, err := d.writer.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("sqlite: note the presence: %w", err)
	}
	return nil
}

// notes selects what starters have noted, with the present time as its first argument.
const notes = `SELECT * FROM (SELECT session, starter, state, coalesce(until <= ?, true) AS lapsed
	FROM presence LEFT JOIN starters ON starters.id = presence.starter) `

// Presence returns what starters have noted of the session.
func (d *Driver) Presence(ctx context.Context, session holdfast.SessionID) ([]state.Presence, error) {
	all, err := d.notes(ctx, "WHERE session = ?", session)
	if err != nil {
		return nil, fmt.Errorf("sqlite: presence: %w", err)
	}
	return all, nil
}

// Lapsed returns the notes of starters without a lease.
func (d *Driver) Lapsed(ctx context.Context, limit int) ([]state.Presence, error) {
	all, err := d.notes(ctx, "WHERE lapsed LIMIT ?", limit)
	if err != nil {
		return nil, fmt.Errorf("sqlite: lapsed: %w", err)
	}
	return all, nil
}

func (d *Driver) notes(ctx context.Context, which string, arg any) (all []state.Presence, err error) {
	err = d.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var p state.Presence
			if err := rows.Scan(&p.Session, &p.Starter, &p.State, &p.Lapsed); err != nil {
				return err
			}
			all = append(all, p)
			return nil
		}, notes+which, d.now(), arg)
	})
	return all, err
}

// RemoveLapsed removes the note of a starter without a lease.
func (d *Driver) RemoveLapsed(ctx context.Context, session holdfast.SessionID, starter string) (gone bool, err error) {
	err = d.write(ctx, func(tx *sql.Tx) error {
		const statement = `DELETE FROM presence WHERE session = ?1 AND starter = ?2
			AND NOT EXISTS (SELECT 1 FROM starters WHERE id = ?2 AND until > ?3)`
		if _, err := tx.ExecContext(ctx, statement, session, starter, d.now()); err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		const look = "SELECT NOT EXISTS (SELECT 1 FROM presence WHERE session = ? AND starter = ?)"
		return tx.QueryRowContext(ctx, look, session, starter).Scan(&gone)
	})
	if err != nil {
		return false, fmt.Errorf("sqlite: remove a dead starter's presence: %w", err)
	}
	return gone, nil
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
