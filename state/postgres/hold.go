package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// held is a hold: the row in the table of holds with this term.
type held struct {
	driver *Driver
	term   string
	record *state.Record
	result json.RawMessage
	found  bool
	mark   []byte
	waits  bool
	over   bool // committed or released
}

// errHeld says that somebody else holds the session.
var errHeld = errors.New("held")

// Acquire takes the session as soon as nobody holds it. It is tried with growing pauses, never long ones: in one process the
// callers queue before they come here, so only few try at a time. A try that meets a commit waits in the server until that is
// done.
func (d *Driver) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	h := &held{driver: d, term: rand.Text(), record: &state.Record{Session: claim.Session}}
	const first, most = time.Millisecond, 16 * time.Millisecond
	for pause := first; ; pause = min(2*pause, most) {
		err := d.again(ctx, transient, func(ctx context.Context) error { return h.try(ctx, claim) })
		if err == nil {
			return h, nil
		}
		if !errors.Is(err, errHeld) && code(err) != locked {
			return nil, h.fail(ctx, err)
		}
		select {
		case <-time.After(pause/2 + mathrand.N(pause)): //nolint:gosec // so that two that wait do not meet again; no secret
		case <-d.life.Done():
			return nil, h.fail(ctx, errClosed)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// fail is the error of an Acquire that came to nothing.
func (h *held) fail(ctx context.Context, err error) error {
	if !undone(err) && !errors.Is(err, errClosed) {
		h.Release() //nolint:contextcheck // the hold may be had all the same; the caller's time may be over
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("postgres: acquire: %w", err)
}

// mine is true for the holder with the term $2 of the session $1.
const mine = " AND EXISTS (SELECT FROM holds WHERE holds.session = $1 AND holds.term = $2)"

// try takes the session if it is free and reads it, in one round trip. The term makes it one that may be repeated. The lease counts
// from when the row is had: it may have been another transaction's for a while.
func (h *held) try(ctx context.Context, claim state.Claim) error {
	b := &pgx.Batch{}
	var taken int64
	b.Queue(`INSERT INTO holds (session, term, until) VALUES ($1, $2, clock_timestamp() + $3::interval)
		ON CONFLICT (session) DO UPDATE SET term = excluded.term, until = clock_timestamp() + $3::interval
		WHERE holds.until <= clock_timestamp() OR holds.term = excluded.term`, string(claim.Session), h.term, claim.Lease).
		Exec(func(tag pgconn.CommandTag) error { taken = tag.RowsAffected(); return nil })
	h.record = queueRecord(b, claim.Session, mine, h.term)
	h.look(b, claim)
	if err := h.driver.send(ctx, b); err != nil {
		return err
	}
	if taken == 0 {
		return errHeld
	}
	return nil
}

// look asks for what the claim names in the ledger and in the outbox.
func (h *held) look(b *pgx.Batch, claim state.Claim) {
	h.result, h.found, h.mark, h.waits = nil, false, nil, false
	find := func(name string, found *bool, to any, query string) {
		if name == "" {
			return
		}
		queueEach(b, func(rows pgx.Rows) error {
			*found = true
			return rows.Scan(to)
		}, query, string(claim.Session), name)
	}
	find(claim.Key, &h.found, (*[]byte)(&h.result), "SELECT result FROM ledger WHERE session = $1 AND key = $2")
	find(claim.Owner, new(bool), &h.mark, "SELECT mark FROM marks WHERE session = $1 AND owner = $2")
	find(claim.Row, &h.waits, new(string), "SELECT id FROM outbox WHERE session = $1 AND id = $2")
}

// Record is the session as it was when the hold began.
func (h *held) Record() *state.Record { return h.record }

// Recorded is what the ledger has under the claim's key.
func (h *held) Recorded() (json.RawMessage, bool) { return h.result, h.found }

// Mark is that of the claim's owner.
func (h *held) Mark() json.RawMessage { return h.mark }

// Waiting reports whether the claim's row stands in the outbox.
func (h *held) Waiting() bool { return h.waits }

// Renew makes the hold last for another lease.
func (h *held) Renew(ctx context.Context, lease time.Duration) error {
	const statement = "UPDATE holds SET until = clock_timestamp() + $3::interval WHERE session = $1 AND term = $2"
	n, err := h.driver.exec(ctx, "renew", statement, string(h.record.Session), h.term, lease)
	if err == nil && n == 0 {
		return fmt.Errorf("postgres: renew: %w", holdfast.ErrLockExpired)
	}
	return err
}

// Release gives the session up. If that fails the hold lapses by itself.
func (h *held) Release() {
	if h.over {
		return
	}
	h.over = true
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	const statement = "UPDATE holds SET term = '', until = '-infinity' WHERE session = $1 AND term = $2"
	_, _ = h.driver.exec(ctx, "release", statement, string(h.record.Session), h.term)
}
