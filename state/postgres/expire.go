package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Touch notes that the session, and an owner of its ledger, are in use.
func (d *Driver) Touch(ctx context.Context, session holdfast.SessionID, owner string) error {
	_, err := d.exec(ctx, "touch", "UPDATE sessions SET touched_at = clock_timestamp() WHERE session = $1", string(session))
	if err == nil && owner != "" {
		_, err = d.exec(ctx, "touch", "UPDATE marks SET at = clock_timestamp() WHERE session = $1 AND owner = $2", string(session), owner)
	}
	return err
}

// Expire removes what is no longer needed, in several transactions, none of which keeps many sessions locked. Of several processes
// one at a time does so; another that comes meanwhile leaves it to that one.
func (d *Driver) Expire(ctx context.Context, e state.Expiry) (removed int, err error) {
	const batch = 1000
	for n := int64(batch); n == batch && err == nil; removed += int(n) {
		n, err = d.sweep(ctx, func(ctx context.Context, tx pgx.Tx) (int64, error) { return removeIdle(ctx, tx, e.Idle, batch) })
	}
	for _, old := range []struct {
		statement string
		age       time.Duration
	}{{silentOwners, e.Ledger}, {deadStarters, e.Idle}, {lostHolds, e.Idle}} {
		_, failed := d.sweep(ctx, func(ctx context.Context, tx pgx.Tx) (int64, error) { return affected(ctx, tx, old.statement, old.age) })
		err = errors.Join(err, failed)
	}
	if err != nil {
		return removed, fmt.Errorf("postgres: expire: %w", err)
	}
	return removed, nil
}

const (
	silentOwners = `WITH silent AS (DELETE FROM marks WHERE at < statement_timestamp() - $1::interval
			AND NOT EXISTS (SELECT FROM sessions WHERE sessions.session = marks.session AND marks.owner = ANY (task_ids))
			RETURNING session, owner)
		DELETE FROM ledger USING silent WHERE ledger.session = silent.session AND ledger.owner = silent.owner`
	deadStarters = `DELETE FROM starters WHERE until < statement_timestamp() - $1::interval
		AND NOT EXISTS (SELECT FROM presence WHERE starter = starters.id)`
	lostHolds = `DELETE FROM holds WHERE until < least(statement_timestamp(), statement_timestamp() - $1::interval)
		AND NOT EXISTS (SELECT FROM sessions WHERE sessions.session = holds.session)`
)

// sweep removes something in a transaction, if no other process is removing anything now, and returns how much it was.
func (d *Driver) sweep(ctx context.Context, remove func(context.Context, pgx.Tx) (int64, error)) (n int64, err error) {
	const lock = 0x53776570 // "Swep", beside that of migrations
	err = d.again(ctx, transient, func(ctx context.Context) error {
		n = 0
		return d.with(ctx, sweepTime, func(ctx context.Context, l *line) error {
			return pgx.BeginFunc(ctx, l, func(tx pgx.Tx) error {
				var mine bool
				err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1, hashtext($2))", lock, d.schema).Scan(&mine)
				if err != nil || !mine {
					return err //nolint:wrapcheck // wrapped by Expire
				}
				n, err = remove(ctx, tx)
				return err
			})
		})
	})
	return n, err
}

// removeIdle removes sessions, at most so many. Until that is written it holds them, so that none goes from under a holder; one that
// somebody is just taking is left for the next time.
func removeIdle(ctx context.Context, tx pgx.Tx, idle time.Duration, most int) (int64, error) {
	const idleSessions = `touched_at < statement_timestamp() - $1::interval AND task_ids = '{}'
		AND NOT EXISTS (SELECT FROM outbox WHERE outbox.session = sessions.session)`
	// Those that a crash has taken away: there must be a row to lock.
	if _, err := tx.Exec(ctx, `INSERT INTO holds (session, term, until) SELECT session, '', '-infinity'
		FROM sessions WHERE `+idleSessions+`
		AND NOT EXISTS (SELECT FROM holds WHERE holds.session = sessions.session)
		ORDER BY session LIMIT $2 ON CONFLICT DO NOTHING`, idle, most); err != nil {
		return 0, err //nolint:wrapcheck // wrapped by Expire
	}
	return affected(ctx, tx, `WITH idle AS (
			SELECT session FROM sessions JOIN holds USING (session) WHERE until <= clock_timestamp() AND `+idleSessions+`
			LIMIT $2 FOR UPDATE SKIP LOCKED -- both: what was changed before it was locked is looked at again
		), freed AS (DELETE FROM holds USING idle WHERE holds.session = idle.session)
		DELETE FROM sessions USING idle WHERE sessions.session = idle.session`, idle, most)
}

func affected(ctx context.Context, tx pgx.Tx, statement string, args ...any) (int64, error) {
	tag, err := tx.Exec(ctx, statement, args...)
	return tag.RowsAffected(), err
}
