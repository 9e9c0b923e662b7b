package state

import (
	"sync"

	"github.com/holdfast-run/holdfast"
)

// hub tells waiting readers of this process that there is something to read. It carries no data, so it needs no queue and
// cannot be slowed by a reader.
type hub struct {
	mu       sync.Mutex // protects everything below
	sessions map[holdfast.SessionID]*bell
	outbox   *bell
}

// bell is rung by closing its channel and hanging up a new one: everyone who took the channel before hears it.
type bell struct {
	rung    chan struct{}
	waiters int // readers that follow the session; protected by hub.mu
}

func newHub() *hub {
	return &hub{sessions: map[holdfast.SessionID]*bell{}, outbox: &bell{rung: make(chan struct{})}}
}

// join makes the session one that can be waited for; leave must be called for each join.
func (h *hub) join(session holdfast.SessionID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, ok := h.sessions[session]
	if !ok {
		b = &bell{rung: make(chan struct{})}
		h.sessions[session] = b
	}
	b.waiters++
}

func (h *hub) leave(session holdfast.SessionID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.sessions[session]
	b.waiters--
	if b.waiters == 0 {
		delete(h.sessions, session)
	}
}

// changed returns a channel that is closed at the next change of a session that was joined. To miss nothing, take it
// before reading.
func (h *hub) changed(session holdfast.SessionID) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[session].rung
}

// outboxChanged returns a channel that is closed when tasks may wait for their start.
func (h *hub) outboxChanged() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.outbox.rung
}

// tell passes a notice on.
func (h *hub) tell(n Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n.Outbox {
		h.outbox.ring()
	}
	if n.All {
		for _, b := range h.sessions {
			b.ring()
		}
		return
	}
	if b, ok := h.sessions[n.Session]; ok {
		b.ring()
	}
}

func (b *bell) ring() {
	close(b.rung)
	b.rung = make(chan struct{})
}
