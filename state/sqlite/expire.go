package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Touch notes that the session is in use.
func (d *Driver) Touch(ctx context.Context, session holdfast.SessionID) error {
	_, err := d.writer.ExecContext(ctx, "UPDATE sessions SET touched_at = ? WHERE id = ?", d.now(), session)
	if err != nil {
		return fmt.Errorf("sqlite: touch: %w", err)
	}
	return nil
}

// Expire removes what is no longer needed.
func (d *Driver) Expire(ctx context.Context, e state.Expiry) (removed int, err error) {
	err = d.write(ctx, func(tx *sql.Tx) error {
		w := &writing{ctx: ctx, tx: tx}
		now := d.now()
		idle := now - e.Idle.Microseconds()
		removed = int(w.exec("remove sessions", `DELETE FROM sessions WHERE touched_at < ? AND tasks = '[]'
			AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.session = sessions.id)
			AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.session = sessions.id AND leases.until > ?)`,
			idle, now))
		w.exec("forget calls", `DELETE FROM ledger WHERE (session, owner) IN (
				SELECT session, owner FROM ledger GROUP BY session, owner HAVING max(at) < ?)
			AND NOT EXISTS (SELECT 1 FROM sessions, json_each(sessions.tasks) AS task
				WHERE sessions.id = ledger.session AND json_extract(task.value, '$.id') = ledger.owner)`,
			now-e.Ledger.Microseconds())
		w.exec("remove starters", "DELETE FROM starters WHERE until < ? AND id NOT IN (SELECT starter FROM presence)", idle)
		w.exec("remove lapsed leases", "DELETE FROM leases WHERE until < ?", min(idle, now))
		return w.err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlite: expire: %w", err)
	}
	return removed, nil
}
