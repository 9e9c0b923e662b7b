package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// held is a hold: a row in the table of leases with this term.
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

// Acquire takes the session as soon as nobody holds it. It is looked for with growing pauses, never long ones: in one process
// the callers queue before they come here, so only few look at a time.
func (d *Driver) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	const first, most = time.Millisecond, 20 * time.Millisecond
	for pause := first; ; pause = min(2*pause, most) {
		h, err := d.try(ctx, claim)
		if err == nil {
			return h, nil
		}
		if !errors.Is(err, errHeld) && !busy(err) {
			return nil, fmt.Errorf("sqlite: acquire: %w", err)
		}
		select {
		case <-time.After(pause/2 + mathrand.N(pause)): //nolint:gosec // so that two that wait do not meet again; no secret
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try takes the session if it is free and reads it, in one transaction.
func (d *Driver) try(ctx context.Context, claim state.Claim) (*held, error) {
	h := &held{driver: d, term: rand.Text()}
	err := d.write(ctx, func(tx *sql.Tx) error {
		now := d.now()
		taken, err := tx.ExecContext(ctx, `INSERT INTO leases (session, term, until) VALUES (?1, ?2, ?3)
			ON CONFLICT (session) DO UPDATE SET term = ?2, until = ?3 WHERE until <= ?4`,
			claim.Session, h.term, now+claim.Lease.Microseconds(), now)
		if err != nil {
			return fmt.Errorf("take the lease: %w", err)
		}
		if n, err := taken.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errHeld)
		}
		if h.record, err = loadRecord(ctx, tx, claim.Session); err != nil {
			return err
		}
		return h.look(ctx, tx, claim)
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// look finds what the claim names in the ledger and in the outbox.
func (h *held) look(ctx context.Context, tx *sql.Tx, claim state.Claim) (err error) {
	find := func(what string, name string, to any, query string) (found bool) {
		if name == "" || err != nil {
			return false
		}
		if err = tx.QueryRowContext(ctx, query, claim.Session, name).Scan(to); err == nil {
			return true
		}
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		} else {
			err = fmt.Errorf("read %s: %w", what, err)
		}
		return false
	}
	h.found = find("the ledger", claim.Key, (*[]byte)(&h.result), "SELECT result FROM ledger WHERE session = ? AND key = ?")
	find("a mark", claim.Owner, &h.mark, "SELECT mark FROM marks WHERE session = ? AND owner = ?")
	h.waits = find("the outbox", claim.Row, new(int), "SELECT 1 FROM outbox WHERE session = ? AND id = ?")
	return err
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
	renewed, err := h.driver.writer.ExecContext(ctx, "UPDATE leases SET until = ? WHERE session = ? AND term = ?",
		h.driver.now()+lease.Microseconds(), h.record.Session, h.term)
	if err != nil {
		return fmt.Errorf("sqlite: renew: %w", err)
	}
	if n, err := renewed.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, holdfast.ErrLockExpired)
	}
	return nil
}

// Release gives the session up. If that fails the lease lapses by itself.
func (h *held) Release() {
	if h.over {
		return
	}
	h.over = true
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _ = h.driver.writer.ExecContext(ctx, "DELETE FROM leases WHERE session = ? AND term = ?", h.record.Session, h.term)
}
