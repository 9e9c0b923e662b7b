package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

var errClosed = errors.New("sqlite: the driver is closed")

// Watch looks whether any connection has committed. SQLite counts that for each connection (PRAGMA data_version), so to look
// costs some microseconds and no reading of tables.
func (d *Driver) Watch(ctx context.Context, notify func(state.Notice)) error {
	conn, err := d.reader.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqlite: watch: %w", err)
	}
	defer conn.Close() //nolint:errcheck // back to the pool; nothing was written
	w := &watch{conn: conn, version: -1}
	if err := conn.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM changes").Scan(&w.last); err != nil {
		return fmt.Errorf("sqlite: watch: %w", err)
	}
	ticker := time.NewTicker(d.poll)
	defer ticker.Stop()
	for {
		if err := w.look(ctx, notify); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("sqlite: watch: %w", err)
		}
		select {
		case <-ticker.C:
		case <-d.closed:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch is where one Watch stands.
type watch struct {
	conn    *sql.Conn
	version int64 // data_version when it looked last
	last    int64 // id of the last change that it knows of
}

func (w *watch) look(ctx context.Context, notify func(state.Notice)) error {
	var version int64
	if err := w.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
		return err
	}
	if version == w.version {
		return nil
	}
	w.version = version
	sessions, err := w.changed(ctx)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		notify(state.Notice{Session: session})
	}
	var waiting bool
	if err := w.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM outbox)").Scan(&waiting); err != nil {
		return err
	}
	if waiting {
		notify(state.Notice{Outbox: true})
	}
	return nil
}

// changed are the sessions with changes since it looked last.
func (w *watch) changed(ctx context.Context) (sessions []holdfast.SessionID, err error) {
	rows, err := w.conn.QueryContext(ctx, "SELECT session, max(id) FROM changes WHERE id > ? GROUP BY session", w.last)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var session holdfast.SessionID
		var id int64
		if err := rows.Scan(&session, &id); err != nil {
			return nil, err
		}
		sessions = append(sessions, session)
		w.last = max(w.last, id)
	}
	return sessions, rows.Err()
}
