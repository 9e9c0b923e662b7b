package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Touch notes that the session, and an owner of its ledger, are in use.
func (d *Driver) Touch(ctx context.Context, session holdfast.SessionID, owner string) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		w := &writing{ctx: ctx, tx: tx, now: d.now()}
		w.exec("touch the session", "UPDATE sessions SET touched_at = ? WHERE id = ?", w.now, session)
		if owner != "" {
			w.exec("touch the owner", "UPDATE marks SET at = ? WHERE session = ? AND owner = ?", w.now, session, owner)
		}
		return w.err
	})
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
		const idleSessions = `touched_at < ?1 AND tasks = '[]'
			AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.session = sessions.id)
			AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.session = sessions.id AND leases.until > ?2)`
		// What has lapsed goes first: it must not commit what it read.
		w.exec("remove their leases", "DELETE FROM leases WHERE session IN (SELECT id FROM sessions WHERE "+idleSessions+")", idle, now)
		removed = int(w.exec("remove sessions", "DELETE FROM sessions WHERE "+idleSessions, idle, now))
		const silent = `at < ? AND NOT EXISTS (SELECT 1 FROM sessions, json_each(sessions.tasks) AS task
				WHERE sessions.id = marks.session AND json_extract(task.value, '$.id') = marks.owner)`
		before := now - e.Ledger.Microseconds()
		w.exec("forget calls", "DELETE FROM ledger WHERE (session, owner) IN (SELECT session, owner FROM marks WHERE "+silent+")", before)
		w.exec("forget callers", "DELETE FROM marks WHERE "+silent, before)
		w.exec("remove starters", "DELETE FROM starters WHERE until < ? AND id NOT IN (SELECT starter FROM presence)", idle)
		w.exec("remove lapsed leases", "DELETE FROM leases WHERE until < ?", min(idle, now))
		return w.err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlite: expire: %w", err)
	}
	return removed, nil
}
