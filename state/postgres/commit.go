package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// fenced is the SQLSTATE with which the function give_up breaks off the commit of a stale holder.
const fenced = "HF001"

// Commit sends one transaction, which first makes sure that the term still holds the session and gives it up. It may be sent
// again after any fault that passes: if an earlier try was written after all, the term is gone.
func (h *held) Commit(ctx context.Context, c *state.Commit) error {
	var doubt error // of a try that may have been written
	err := h.driver.again(ctx, transient, func(ctx context.Context) error {
		err := h.write(ctx, c)
		if code(err) == fenced {
			return h.judge(ctx, doubt)
		}
		if err != nil && !undone(err) {
			doubt = err
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("postgres: commit: %w", err)
	}
	h.over = true
	return nil
}

// judge finds out why the term is gone: because the hold was lost, or because an earlier try of this commit was written.
func (h *held) judge(ctx context.Context, doubt error) error {
	if doubt == nil {
		return holdfast.ErrLockExpired
	}
	var term, epoch string
	var version int64
	err := h.driver.with(ctx, answerTime, func(ctx context.Context, l *line) error {
		return l.QueryRow(ctx, "SELECT term, epoch, version FROM sessions WHERE session = $1", string(h.record.Session)).
			Scan(&term, &epoch, &version)
	})
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("look for an earlier try: %w", err)
	case term == h.term:
		return nil
	case epoch == h.record.Epoch && version == h.record.Version: // nobody has written since
		return holdfast.ErrLockExpired
	}
	return doubt // others have written since, maybe after us
}

func (h *held) write(ctx context.Context, c *state.Commit) error {
	w := &writing{session: string(h.record.Session)}
	w.queue("BEGIN")
	w.queue("SELECT give_up($1, $2)", w.session, h.term)
	w.saveSession(c, h.term)
	w.saveChange(c)
	w.saveEntry(c)
	w.saveOutbox(c)
	if w.err != nil {
		return w.err
	}
	committed := false
	w.batch.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		committed = tag.String() == "COMMIT"
		return nil
	})
	notice := noticeOf(c, h.record.Session)
	if notice != "" { // after the commit, see the package
		w.queue(tellOthers, h.driver.schema, notice)
	}
	err := h.driver.send(ctx, &w.batch)
	if !committed {
		return cmp.Or(err, errors.New("the server did not commit")) //nolint:wrapcheck // wrapped by Commit
	}
	if err != nil { // only the notice was lost; if it cannot be told, readers find the change by looking
		_, _ = h.driver.exec(ctx, "notify", tellOthers, h.driver.schema, notice)
	}
	return nil
}

// writing is one commit in preparation.
type writing struct {
	batch   pgx.Batch
	session string
	err     error
}

func (w *writing) queue(statement string, args ...any) { w.batch.Queue(statement, args...) }

// json is the text of a value of ours.
func (w *writing) json(value any) string {
	text, err := json.Marshal(value)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encode: %w", err)
	}
	return string(text)
}

func (w *writing) saveSession(c *state.Commit, term string) {
	var tasks, deferred *string // nil: as they were
	var ids []string
	if c.TasksChanged {
		listed, waiting := w.json(append([]state.Task{}, c.Tasks...)), w.json(append([]state.Pending{}, c.Deferred...))
		tasks, deferred, ids = &listed, &waiting, make([]string, 0, len(c.Tasks))
		for _, t := range c.Tasks {
			ids = append(ids, string(t.ID))
		}
	}
	w.queue(`INSERT INTO sessions AS s (session, epoch, version, revision, last_message, term, touched_at, tasks, task_ids, deferred)
		VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), coalesce($7::json, '[]'), coalesce($8::text[], '{}'), coalesce($9::json, '[]'))
		ON CONFLICT (session) DO UPDATE SET epoch = $2, version = $3, revision = $4, last_message = $5, term = $6, touched_at = clock_timestamp(),
			tasks = coalesce($7::json, s.tasks), task_ids = coalesce($8::text[], s.task_ids), deferred = coalesce($9::json, s.deferred)`,
		w.session, c.Epoch, c.Version, c.Revision, c.LastMessage, term, tasks, ids, deferred)
	for name, body := range c.Documents {
		w.queue("INSERT INTO documents (session, name, body) VALUES ($1, $2, $3) ON CONFLICT (session, name) DO UPDATE SET body = $3",
			w.session, name, string(body))
	}
}

func (w *writing) saveChange(c *state.Commit) {
	if c.Change == nil {
		return
	}
	w.queue("INSERT INTO changes (session, revision, body) VALUES ($1, $2, $3)", w.session, c.Change.Revision, w.json(c.Change))
	w.queue("DELETE FROM changes WHERE session = $1 AND revision <= $2", w.session, c.Revision-c.KeepChanges)
	for _, m := range c.Change.Messages {
		w.queue("INSERT INTO messages (session, id, revision, name, data) VALUES ($1, $2, $3, $4, $5)",
			w.session, m.ID, m.Revision, m.Name, string(m.Data))
	}
	if len(c.Change.Messages) > 0 {
		w.queue("DELETE FROM messages WHERE session = $1 AND id <= $2", w.session, c.LastMessage-c.KeepMessages)
	}
}

func (w *writing) saveEntry(c *state.Commit) {
	for owner, mark := range c.Marks {
		w.queue(`INSERT INTO marks (session, owner, mark, at) VALUES ($1, $2, $3, clock_timestamp())
			ON CONFLICT (session, owner) DO UPDATE SET mark = $3, at = clock_timestamp()`, w.session, owner, string(mark))
	}
	e := c.Entry
	if e == nil {
		return
	}
	w.queue("INSERT INTO ledger (session, key, owner, seq, result) VALUES ($1, $2, $3, $4, $5)",
		w.session, e.Key, e.Owner, e.Seq, text(e.Result))
	if e.Forget > 0 {
		w.queue("DELETE FROM ledger WHERE session = $1 AND owner = $2 AND seq BETWEEN 1 AND $3", w.session, e.Owner, e.Forget)
	}
}

func (w *writing) saveOutbox(c *state.Commit) {
	if len(c.Settled) > 0 {
		w.queue("DELETE FROM outbox WHERE session = $1 AND id = ANY ($2)", w.session, c.Settled)
	}
	for i := range c.Pending {
		p := &c.Pending[i]
		w.queue("INSERT INTO outbox (session, id, kind, task, app, name, argument, at, trace, bound) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			string(p.Session), p.ID, string(p.Kind), string(p.Task), p.App, p.Name, text(p.Argument), p.At, p.Trace, p.Bound)
	}
}

// text is a JSON text as it is, or NULL for none.
func text(raw json.RawMessage) *string {
	if raw == nil {
		return nil
	}
	s := string(raw)
	return &s
}
