package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Touch notes that the session is in use.
func (d *Driver) Touch(ctx context.Context, session holdfast.SessionID) error {
	_, err := d.exec(ctx, "touch", "UPDATE sessions SET touched_at = clock_timestamp() WHERE session = $1", string(session))
	return err
}

// Expire removes what is no longer needed. For the moment of removing them it holds the sessions that it removes, so that
// none goes from under a holder; one that somebody is just taking is left for the next time.
func (d *Driver) Expire(ctx context.Context, e state.Expiry) (int, error) {
	var removed int64
	err := d.again(ctx, transient, func(ctx context.Context) error {
		b := &pgx.Batch{}
		b.Queue("BEGIN")
		b.Queue(`INSERT INTO holds (session, term, until) SELECT session, '', '-infinity' FROM sessions
			WHERE touched_at < statement_timestamp() - $1::interval ORDER BY session ON CONFLICT DO NOTHING`, e.Idle) // those that a crash has taken away: there must be a row to lock
		b.Queue(`WITH idle AS (
				SELECT session FROM sessions JOIN holds USING (session)
				WHERE touched_at < statement_timestamp() - $1::interval AND task_ids = '{}' AND until <= clock_timestamp()
				AND NOT EXISTS (SELECT FROM outbox WHERE outbox.session = sessions.session)
				FOR UPDATE SKIP LOCKED
			), freed AS (DELETE FROM holds USING idle WHERE holds.session = idle.session)
			DELETE FROM sessions USING idle WHERE sessions.session = idle.session`, e.Idle).
			Exec(func(tag pgconn.CommandTag) error { removed = tag.RowsAffected(); return nil })
		b.Queue(`DELETE FROM ledger USING (SELECT session, owner FROM ledger GROUP BY session, owner HAVING max(at) < statement_timestamp() - $1::interval) AS silent
			WHERE ledger.session = silent.session AND ledger.owner = silent.owner
			AND NOT EXISTS (SELECT FROM sessions WHERE sessions.session = ledger.session AND silent.owner = ANY (task_ids))`, e.Ledger)
		b.Queue("DELETE FROM starters WHERE until < statement_timestamp() - $1::interval AND NOT EXISTS (SELECT FROM presence WHERE starter = starters.id)", e.Idle)
		b.Queue(`DELETE FROM holds WHERE until < statement_timestamp() - $1::interval
			AND NOT EXISTS (SELECT FROM sessions WHERE sessions.session = holds.session)`, e.Idle)
		b.Queue("COMMIT")
		return d.send(ctx, b)
	})
	if err != nil {
		return 0, fmt.Errorf("postgres: expire: %w", err)
	}
	return int(removed), nil
}
