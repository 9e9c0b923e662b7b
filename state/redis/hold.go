package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// held is a hold: the session's lease has this term.
type held struct {
	driver *Driver
	term   string
	record *state.Record
	result json.RawMessage
	found  bool
	mark   json.RawMessage
	waits  bool
	over   bool // committed or released
}

// Acquire takes the session as soon as nobody holds it. Who waits is woken by the end of the hold, and looks by itself when the
// lease lapses and now and then.
func (d *Driver) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	h := &held{driver: d, term: rand.Text()}
	lapse, err := h.try(ctx, claim)
	if err == nil && h.record == nil {
		err = h.wait(ctx, claim, lapse)
	}
	if ctx.Err() != nil && err != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("redis: acquire: %w", err)
	}
	return h, nil
}

// wait tries until the session is had.
func (h *held) wait(ctx context.Context, claim state.Claim, lapse time.Duration) error {
	const first, most = 5 * time.Millisecond, 200 * time.Millisecond
	freed, leave := h.driver.bells.join(claim.Session)
	defer leave()
	for pause := first; h.record == nil; pause = min(2*pause, most) {
		scattered := pause/2 + mathrand.N(pause) //nolint:gosec // so that two that wait do not meet again; no secret
		select {
		case <-freed:
		case <-time.After(min(scattered, lapse)):
		case <-h.driver.closed:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
		var err error
		if lapse, err = h.try(ctx, claim); err != nil {
			return err
		}
	}
	return nil
}

// try takes the session if it is free, and says otherwise how long the lease of who has it may still last. After an error the lease
// may be had all the same, and is given up.
func (h *held) try(ctx context.Context, claim state.Claim) (lapse time.Duration, err error) {
	d := h.driver
	defer func() { //nolint:contextcheck // the caller's time may be over
		if err != nil && !refused(err) {
			d.later(func() { h.giveUp(claim.Session) })
		}
	}()
	keys := d.keys.of(claim.Session, "lease", "waiting", "record", "documents", "ledger", "marks", "rows")
	reply, err := d.run(ctx, d.scripts.acquire, keys,
		h.term, millis(claim.Lease), remembered, claim.Key, claim.Owner, claim.Row).Slice()
	if err != nil {
		return 0, fmt.Errorf("take the lease: %w", err)
	}
	switch {
	case len(reply) == 2:
		left, err := number(reply[1])
		return time.Duration(max(left, 0)+1) * time.Millisecond, err
	case len(reply) != 6:
		return 0, errReply
	}
	if h.record, err = record(claim.Session, list(reply[1]), list(reply[2])); err != nil {
		return 0, err
	}
	h.look(reply[3], reply[4], reply[5])
	return 0, nil
}

// look takes over the entry of the ledger (nothing for none, an empty text for no result, or the result after a "="), the mark, and
// whether there is the row.
func (h *held) look(entry, mark, row any) {
	if raw := text(mark); raw != "" {
		h.mark = json.RawMessage(raw)
	}
	h.waits = row == int64(1)
	value, found := entry.(string)
	h.found = found
	if result, some := strings.CutPrefix(value, "="); some {
		h.result = json.RawMessage(result)
	}
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
	d := h.driver
	renewed, err := d.run(ctx, d.scripts.renew, d.keys.of(h.record.Session, "lease"), h.term, millis(lease), remembered).Bool()
	if err != nil {
		return fmt.Errorf("redis: renew: %w", err)
	}
	if !renewed {
		return fmt.Errorf("redis: renew: %w", holdfast.ErrLockExpired)
	}
	return nil
}

// Release gives the session up. If that fails the lease lapses by itself.
func (h *held) Release() {
	if h.over {
		return
	}
	h.over = true
	h.giveUp(h.record.Session)
}

func (h *held) giveUp(session holdfast.SessionID) {
	const patience = time.Second
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d := h.driver
	d.run(ctx, d.scripts.release, d.keys.of(session, "lease", "waiting"), h.term, d.keys.freed(), string(session))
}

// remembered is for how many milliseconds the server remembers a lease that has lapsed. Its holder may still renew it or commit,
// as long as nobody has taken the session.
const remembered = 60_000

// millis is a time that the server lets a lease last.
func millis(lease time.Duration) int64 { return max(1, lease.Milliseconds()) }
