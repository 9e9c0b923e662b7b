package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// read sends questions in one round trip and has them answered as of one moment. ask queues them, and does so again when the
// connection broke.
func (d *Driver) read(ctx context.Context, ask func(*pgx.Batch)) error {
	return d.again(ctx, transient, func(ctx context.Context) error {
		b := &pgx.Batch{}
		b.Queue("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ")
		ask(b)
		b.Queue("COMMIT")
		return d.send(ctx, b)
	})
}

// Load returns the session as it was last committed.
func (d *Driver) Load(ctx context.Context, session holdfast.SessionID) (record *state.Record, all []state.Message, err error) {
	err = d.read(ctx, func(b *pgx.Batch) {
		record, all = queueRecord(b, session, ""), nil
		queueEach(b, func(rows pgx.Rows) error {
			all = append(all, state.Message{})
			m := &all[len(all)-1]
			return rows.Scan(&m.ID, &m.Revision, &m.Name, (*[]byte)(&m.Data))
		}, "SELECT id, revision, name, data FROM messages WHERE session = $1 ORDER BY id", string(session))
	})
	if err != nil {
		return nil, nil, fmt.Errorf("postgres: load: %w", err)
	}
	return record, all, nil
}

// queueRecord asks for a session, on a further condition, and returns what the answer is written to.
func queueRecord(b *pgx.Batch, session holdfast.SessionID, condition string, args ...any) *state.Record {
	r := &state.Record{Session: session}
	args = append([]any{string(session)}, args...)
	queueEach(b, func(rows pgx.Rows) error {
		var tasks, deferred []byte
		if err := rows.Scan(&r.Epoch, &r.Version, &r.Revision, &r.LastMessage, &tasks, &deferred); err != nil {
			return err //nolint:wrapcheck // wrapped where one knows what it was for
		}
		r.Documents = holdfast.Documents{}
		return errors.Join(json.Unmarshal(tasks, &r.Tasks), json.Unmarshal(deferred, &r.Deferred))
	}, "SELECT epoch, version, revision, last_message, tasks, deferred FROM sessions WHERE session = $1"+condition, args...)
	queueEach(b, func(rows pgx.Rows) error {
		var name string
		var body []byte
		if err := rows.Scan(&name, &body); err != nil {
			return err //nolint:wrapcheck // as above
		}
		r.Documents[name] = body
		return nil
	}, "SELECT name, body FROM documents WHERE session = $1"+condition, args...)
	return r
}

// Changes returns the changes after a position.
func (d *Driver) Changes(
	ctx context.Context, session holdfast.SessionID, after state.Position, limit int,
) (changes []state.Change, err error) {
	var now state.Position
	err = d.read(ctx, func(b *pgx.Batch) {
		now, changes = state.Position{}, nil
		queueEach(b, func(rows pgx.Rows) error { return rows.Scan(&now.Epoch, &now.Revision) },
			"SELECT epoch, revision FROM sessions WHERE session = $1", string(session))
		queueEach(b, func(rows pgx.Rows) error {
			var body []byte
			if err := rows.Scan(&body); err != nil {
				return err //nolint:wrapcheck // wrapped below
			}
			changes = append(changes, state.Change{})
			return json.Unmarshal(body, &changes[len(changes)-1])
		}, "SELECT body FROM changes WHERE session = $1 AND revision > $2 ORDER BY revision LIMIT $3",
			string(session), after.Revision, limit)
	})
	if err == nil && gap(now, after, changes) {
		err = state.ErrGap
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: changes: %w", err)
	}
	return changes, nil
}

// gap reports that the changes are not all those that follow the position, up to their last one.
func gap(now, after state.Position, changes []state.Change) bool {
	if now.Epoch != after.Epoch || now.Revision < after.Revision {
		return true
	}
	return now.Revision > after.Revision && (len(changes) == 0 || changes[0].Revision != after.Revision+1)
}

// Outbox returns the rows that wait to be done, oldest first.
func (d *Driver) Outbox(ctx context.Context, limit int) (pending []state.Pending, err error) {
	err = d.list(ctx, func(rows pgx.Rows) error {
		pending = append(pending, state.Pending{})
		p := &pending[len(pending)-1]
		defer func() { p.At = p.At.UTC() }()
		return rows.Scan(&p.ID, &p.Kind, &p.Session, &p.Task, &p.App, &p.Name, (*[]byte)(&p.Argument), &p.At, &p.Trace, &p.Bound)
	}, "SELECT id, kind, session, task, app, name, argument, at, trace, bound FROM outbox ORDER BY n LIMIT $1", limit)
	if err != nil {
		return nil, fmt.Errorf("postgres: outbox: %w", err)
	}
	return pending, nil
}

// list calls scan for each row of a query. When the connection breaks after the first row the error is returned: the caller has
// kept what it was given.
func (d *Driver) list(ctx context.Context, scan func(pgx.Rows) error, query string, args ...any) error {
	begun := false
	may := func(err error) bool { return !begun && transient(err) }
	return d.again(ctx, may, func(ctx context.Context) error {
		return d.with(ctx, answerTime, func(ctx context.Context, l *line) error {
			rows, err := l.Query(ctx, query, args...)
			if err != nil {
				return err //nolint:wrapcheck // wrapped where one knows what it was for
			}
			return each(rows, func() error { begun = true; l.heard(); return scan(rows) })
		})
	})
}

// queueEach asks, and calls scan for each row of the answer.
func queueEach(b *pgx.Batch, scan func(pgx.Rows) error, query string, args ...any) {
	b.Queue(query, args...).Query(func(rows pgx.Rows) error {
		return each(rows, func() error { return scan(rows) })
	})
}

// each calls scan for each row, and frees the connection.
func each(rows pgx.Rows, scan func() error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(); err != nil {
			return err
		}
	}
	return rows.Err() //nolint:wrapcheck // wrapped where one knows what it was for
}
