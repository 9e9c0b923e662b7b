package redis

import (
	"sync"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
)

// bells wake those of this process that wait for a session.
type bells struct {
	mu    sync.Mutex // protects doors
	doors map[holdfast.SessionID]*door
}

// door is where one or more wait for the same session.
type door struct {
	bell    chan struct{} // holds one token after a ring: one of them is enough
	waiters int           // protected by bells.mu
}

func newBells() *bells { return &bells{doors: map[holdfast.SessionID]*door{}} }

// join begins to wait; leave must be called once.
func (b *bells) join(session holdfast.SessionID) (bell <-chan struct{}, leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok := b.doors[session]
	if !ok {
		at = &door{bell: make(chan struct{}, 1)}
		b.doors[session] = at
	}
	at.waiters++
	return at.bell, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		at.waiters--
		if at.waiters == 0 {
			delete(b.doors, session)
		}
	}
}

// ring wakes one that waits for the session.
func (b *bells) ring(session holdfast.SessionID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at, ok := b.doors[session]; ok {
		select {
		case at.bell <- struct{}{}:
		default:
		}
	}
}

// listen rings for each hold that ends, until the subscription is closed. The client connects anew by itself; what is told in the
// meantime is lost, and who waits looks by itself.
func (b *bells) listen(freed *goredis.PubSub) {
	for message := range freed.Channel() {
		b.ring(holdfast.SessionID(message.Payload))
	}
}
