package memory

import (
	"context"
	"encoding/json"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// held is a hold. It is the session's as long as it stands in Driver.holds: that it is this very value is the fence.
type held struct {
	driver  *Driver
	id      holdfast.SessionID
	record  *state.Record
	result  json.RawMessage
	found   bool
	mark    json.RawMessage
	waiting bool
	until   time.Time // protected by Driver.mu
}

// Acquire waits until nobody holds the session, or the hold of who does has lapsed.
func (d *Driver) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	for {
		h, released, lapse, err := d.try(claim)
		if h != nil || err != nil {
			return h, err
		}
		timer := time.NewTimer(lapse)
		select {
		case <-released:
		case <-timer.C:
		case <-d.closed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// try takes the session if it is free; otherwise it says what to wait for, and how long at most.
func (d *Driver) try(claim state.Claim) (state.Held, <-chan struct{}, time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.closed:
		return nil, nil, 0, errClosed
	default:
	}
	if other := d.holds[claim.Session]; other != nil {
		if lapse := time.Until(other.until); lapse > 0 {
			return nil, d.released, lapse, nil
		}
	}
	h := &held{driver: d, id: claim.Session, until: time.Now().Add(claim.Lease), record: &state.Record{Session: claim.Session}}
	if s := d.sessions[claim.Session]; s != nil {
		h.look(s, claim)
	}
	d.holds[claim.Session] = h
	return h, nil, 0, nil
}

// Record is the session as it was when the hold began.
func (h *held) Record() *state.Record { return h.record }

// Recorded is what the ledger has under the claim's key.
func (h *held) Recorded() (json.RawMessage, bool) { return h.result, h.found }

// Mark is that of the claim's owner.
func (h *held) Mark() json.RawMessage { return h.mark }

// Waiting reports whether the claim's row stands in the outbox.
func (h *held) Waiting() bool { return h.waiting }

// Renew makes the hold last for another lease.
func (h *held) Renew(_ context.Context, lease time.Duration) error {
	h.driver.mu.Lock()
	defer h.driver.mu.Unlock()
	if h.driver.holds[h.id] != h {
		return holdfast.ErrLockExpired
	}
	h.until = time.Now().Add(lease)
	return nil
}

// Release ends the hold without writing.
func (h *held) Release() {
	h.driver.mu.Lock()
	defer h.driver.mu.Unlock()
	h.release()
}

// release requires Driver.mu.
func (h *held) release() {
	if h.driver.holds[h.id] != h {
		return
	}
	delete(h.driver.holds, h.id)
	close(h.driver.released)
	h.driver.released = make(chan struct{})
}
