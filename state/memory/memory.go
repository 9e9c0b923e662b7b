// Package memory keeps the sessions of one process in memory. They are gone when the process ends: it is for tests and for
// trying things out.
package memory

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

var errClosed = errors.New("memory: the driver is closed")

// Driver keeps sessions in memory. It is safe for concurrent use. JSON texts are shared between the driver and its callers,
// none of whom changes them.
type Driver struct {
	mu       sync.Mutex // protects everything below
	sessions map[holdfast.SessionID]*session
	holds    map[holdfast.SessionID]*held
	outbox   []state.Pending
	starters map[string]lease
	terms    int64 // counts those of the starters' leases
	present  map[note]state.PresenceState
	watchers map[*watcher]struct{}
	released chan struct{} // closed and replaced whenever a hold ends
	closed   chan struct{} // closed by Close
}

// session is a record and what goes with it.
type session struct {
	record   state.Record
	touched  time.Time
	ledger   map[string]entry
	owners   map[string]*owner
	changes  []state.Change
	messages []state.Message
}

// entry is one call in the ledger.
type entry struct{ result json.RawMessage }

// owner is who makes calls that the ledger knows.
type owner struct {
	mark  json.RawMessage
	last  time.Time // when it was written or touched last
	calls []call    // in the ledger, by number
}

type call struct {
	seq int64
	key string
}

// New returns an empty driver.
func New() *Driver {
	return &Driver{
		sessions: map[holdfast.SessionID]*session{},
		holds:    map[holdfast.SessionID]*held{},
		starters: map[string]lease{},
		present:  map[note]state.PresenceState{},
		watchers: map[*watcher]struct{}{},
		released: make(chan struct{}),
		closed:   make(chan struct{}),
	}
}

var _ state.Driver = (*Driver)(nil)

// Close ends all holds and watches with an error.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.closed:
	default:
		close(d.closed)
		clear(d.holds)
	}
	return nil
}

// Load returns the session as it was last committed.
func (d *Driver) Load(_ context.Context, id holdfast.SessionID) (*state.Record, []state.Message, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[id]
	if s == nil {
		return &state.Record{Session: id}, nil, nil
	}
	return s.copy(), slices.Clone(s.messages), nil
}

func (s *session) copy() *state.Record {
	r := s.record
	r.Documents = maps.Clone(r.Documents)
	r.Tasks = slices.Clone(r.Tasks)
	r.Deferred = slices.Clone(r.Deferred)
	return &r
}

// Touch notes that the session, and an owner of its ledger, are in use.
func (d *Driver) Touch(_ context.Context, id holdfast.SessionID, owner string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[id]
	if s == nil {
		return nil
	}
	s.touched = time.Now()
	if o := s.owners[owner]; o != nil {
		o.last = s.touched
	}
	return nil
}

// Outbox returns the rows that wait to be done, oldest first.
func (d *Driver) Outbox(_ context.Context, limit int) ([]state.Pending, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.outbox[:min(limit, len(d.outbox))]), nil
}

// look takes over what the session has of the claim.
func (h *held) look(s *session, claim state.Claim) {
	h.record = s.copy()
	var e entry
	e, h.found = s.ledger[claim.Key]
	h.result = e.result
	if o := s.owners[claim.Owner]; o != nil {
		h.mark = o.mark
	}
	h.waiting = slices.ContainsFunc(h.driver.outbox, func(p state.Pending) bool { return p.Session == claim.Session && p.ID == claim.Row })
}
