package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Commit writes everything in one transaction, which first makes sure that the term still holds the session and in the
// end gives it up.
func (h *held) Commit(ctx context.Context, c *state.Commit) error {
	err := h.driver.write(ctx, func(tx *sql.Tx) error {
		w := &writing{ctx: ctx, tx: tx, session: h.record.Session, now: h.driver.now()}
		w.fence(h.term)
		w.saveSession(c, h.record)
		w.saveChange(c)
		w.saveEntry(c)
		w.saveOutbox(c)
		return w.err
	})
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	h.over = true
	return nil
}

// writing is one commit in progress. After its first error it does nothing any more.
type writing struct {
	ctx     context.Context
	tx      *sql.Tx
	session holdfast.SessionID
	now     int64
	err     error
}

// exec runs one statement; what names it for the error.
func (w *writing) exec(what, statement string, args ...any) int64 {
	if w.err != nil {
		return 0
	}
	result, err := w.tx.ExecContext(w.ctx, statement, args...)
	if err == nil {
		var n int64
		if n, err = result.RowsAffected(); err == nil {
			return n
		}
	}
	w.err = fmt.Errorf("%s: %w", what, err)
	return 0
}

// json is the text of a value of ours.
func (w *writing) json(value any) string {
	text, err := json.Marshal(value)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encode: %w", err)
	}
	return string(text)
}

// fence gives up the lease, and fails if it is no longer ours. Nobody can take it before the transaction ends.
func (w *writing) fence(term string) {
	n := w.exec("give up the lease", "DELETE FROM leases WHERE session = ? AND term = ?", w.session, term)
	if w.err == nil && n == 0 {
		w.err = holdfast.ErrLockExpired
	}
}

func (w *writing) saveSession(c *state.Commit, before *state.Record) {
	tasks, deferred := before.Tasks, before.Deferred
	if c.TasksChanged {
		tasks, deferred = c.Tasks, c.Deferred
	}
	w.exec("write the session", `INSERT INTO sessions (id, epoch, version, revision, last_message, tasks, deferred, touched_at)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
		ON CONFLICT (id) DO UPDATE SET epoch = ?2, version = ?3, revision = ?4, last_message = ?5, tasks = ?6, deferred = ?7, touched_at = ?8`,
		w.session, c.Epoch, c.Version, c.Revision, c.LastMessage,
		w.json(append([]state.Task{}, tasks...)), w.json(append([]state.Pending{}, deferred...)), w.now)
	for name, body := range c.Documents {
		w.exec("write state "+name, "INSERT INTO documents (session, name, body) VALUES (?1, ?2, ?3) ON CONFLICT (session, name) DO UPDATE SET body = ?3",
			w.session, name, string(body))
	}
}

func (w *writing) saveChange(c *state.Commit) {
	if c.Change == nil {
		return
	}
	w.exec("write the change", "INSERT INTO changes (session, revision, body) VALUES (?, ?, ?)", w.session, c.Change.Revision, w.json(c.Change))
	w.exec("trim the log", "DELETE FROM changes WHERE session = ? AND revision <= ?", w.session, c.Revision-c.KeepChanges)
	for _, m := range c.Change.Messages {
		w.exec("write a message", "INSERT INTO messages (session, id, revision, name, data) VALUES (?, ?, ?, ?, ?)",
			w.session, m.ID, m.Revision, m.Name, string(m.Data))
	}
	if len(c.Change.Messages) > 0 {
		w.exec("trim the messages", "DELETE FROM messages WHERE session = ? AND id <= ?", w.session, c.LastMessage-c.KeepMessages)
	}
}

func (w *writing) saveEntry(c *state.Commit) {
	for owner, mark := range c.Marks {
		w.exec("write a mark", `INSERT INTO marks (session, owner, mark, at) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (session, owner) DO UPDATE SET mark = ?3, at = ?4`, w.session, owner, string(mark), w.now)
	}
	e := c.Entry
	if e == nil {
		return
	}
	w.exec("write the ledger", "INSERT INTO ledger (session, key, owner, seq, result) VALUES (?, ?, ?, ?, ?)",
		w.session, e.Key, e.Owner, e.Seq, text(e.Result))
	if e.Forget > 0 {
		w.exec("trim the ledger", "DELETE FROM ledger WHERE session = ? AND owner = ? AND seq BETWEEN 1 AND ?", w.session, e.Owner, e.Forget)
	}
}

func (w *writing) saveOutbox(c *state.Commit) {
	for _, id := range c.Settled {
		w.exec("settle the outbox", "DELETE FROM outbox WHERE id = ?", id)
	}
	for _, p := range c.Pending {
		w.exec("write the outbox", "INSERT INTO outbox (id, kind, session, task, app, name, argument, at, trace, bound) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			p.ID, p.Kind, p.Session, p.Task, p.App, p.Name, text(p.Argument), micros(p.At), p.Trace, p.Bound)
	}
}

// text is a JSON text as SQLite keeps it, or NULL for none.
func text(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return string(raw)
}
