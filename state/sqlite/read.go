package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Load returns the session as it was last committed.
func (d *Driver) Load(ctx context.Context, session holdfast.SessionID) (record *state.Record, messages []state.Message, err error) {
	err = d.read(ctx, func(tx *sql.Tx) error {
		if record, err = loadRecord(ctx, tx, session); err != nil {
			return err
		}
		messages, err = loadMessages(ctx, tx, session)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sqlite: load: %w", err)
	}
	return record, messages, nil
}

func loadRecord(ctx context.Context, tx *sql.Tx, session holdfast.SessionID) (*state.Record, error) {
	r := &state.Record{Session: session}
	var tasks, deferred []byte
	err := tx.QueryRowContext(ctx, "SELECT epoch, version, revision, last_message, tasks, deferred FROM sessions WHERE id = ?", session).
		Scan(&r.Epoch, &r.Version, &r.Revision, &r.LastMessage, &tasks, &deferred)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the session: %w", err)
	}
	if err := errors.Join(json.Unmarshal(tasks, &r.Tasks), json.Unmarshal(deferred, &r.Deferred)); err != nil {
		return nil, fmt.Errorf("read the session's tasks: %w", err)
	}
	r.Documents = holdfast.Documents{}
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var name string
		var body []byte
		if err := rows.Scan(&name, &body); err != nil {
			return err
		}
		r.Documents[name] = body
		return nil
	}, "SELECT name, body FROM documents WHERE session = ?", session)
	if err != nil {
		return nil, fmt.Errorf("read the states: %w", err)
	}
	return r, nil
}

func loadMessages(ctx context.Context, tx *sql.Tx, session holdfast.SessionID) (messages []state.Message, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var m state.Message
		var data []byte
		if err := rows.Scan(&m.ID, &m.Revision, &m.Name, &data); err != nil {
			return err
		}
		m.Data = data
		messages = append(messages, m)
		return nil
	}, "SELECT id, revision, name, data FROM messages WHERE session = ? ORDER BY id", session)
	if err != nil {
		return nil, fmt.Errorf("read the messages: %w", err)
	}
	return messages, nil
}

// Changes returns the changes after a position.
func (d *Driver) Changes(ctx context.Context, session holdfast.SessionID, after state.Position, limit int) (changes []state.Change, err error) {
	err = d.read(ctx, func(tx *sql.Tx) error {
		var now state.Position
		err := tx.QueryRowContext(ctx, "SELECT epoch, revision FROM sessions WHERE id = ?", session).Scan(&now.Epoch, &now.Revision)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read the session: %w", err)
		}
		if now.Epoch != after.Epoch || now.Revision < after.Revision {
			return state.ErrGap
		}
		if now.Revision == after.Revision {
			return nil
		}
		changes, err = loadChanges(ctx, tx, session, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sqlite: changes: %w", err)
	}
	return changes, nil
}

// loadChanges reads on from a position that has something after it, without a gap.
func loadChanges(ctx context.Context, tx *sql.Tx, session holdfast.SessionID, after state.Position, limit int) (changes []state.Change, err error) {
	err = each(ctx, tx, func(rows *sql.Rows) error {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return err
		}
		var c state.Change
		if err := json.Unmarshal(body, &c); err != nil {
			return fmt.Errorf("decode a change: %w", err)
		}
		changes = append(changes, c)
		return nil
	}, "SELECT body FROM changes WHERE session = ? AND revision > ? ORDER BY revision LIMIT ?", session, after.Revision, limit)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	if len(changes) == 0 || changes[0].Revision != after.Revision+1 {
		return nil, state.ErrGap
	}
	return changes, nil
}

// Outbox returns the rows that wait to be done, oldest first.
func (d *Driver) Outbox(ctx context.Context, limit int) (pending []state.Pending, err error) {
	err = d.read(ctx, func(tx *sql.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var p state.Pending
			var argument []byte
			var at int64
			if err := rows.Scan(&p.ID, &p.Kind, &p.Session, &p.Task, &p.App, &p.Name, &argument, &at, &p.Trace, &p.Bound); err != nil {
				return err
			}
			p.Argument, p.At = argument, time.UnixMicro(at).UTC()
			pending = append(pending, p)
			return nil
		}, "SELECT id, kind, session, task, app, name, argument, at, trace, bound FROM outbox ORDER BY n LIMIT ?", limit)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlite: outbox: %w", err)
	}
	return pending, nil
}

// each calls scan for each row of a query.
func each(ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
