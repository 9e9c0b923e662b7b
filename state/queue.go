package state

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/holdfast-run/holdfast"
)

// queue lets one caller of this process at a time ask the store for a session, first come, first served, so that a
// process's own callers never compete in the store.
type queue struct {
	mu    sync.Mutex // protects lines
	lines map[holdfast.SessionID]*line
}

type line struct {
	turn  *semaphore.Weighted
	users int // callers in the line; protected by queue.mu
}

func newQueue() *queue {
	return &queue{lines: map[holdfast.SessionID]*line{}}
}

// enter waits for the caller's turn, until ctx ends. The returned function ends the turn and must be called once.
func (q *queue) enter(ctx context.Context, session holdfast.SessionID) (leave func(), err error) {
	q.mu.Lock()
	l, ok := q.lines[session]
	if !ok {
		l = &line{turn: semaphore.NewWeighted(1)}
		q.lines[session] = l
	}
	l.users++
	q.mu.Unlock()

	if err := l.turn.Acquire(ctx, 1); err != nil {
		q.drop(session, l)
		return nil, err //nolint:wrapcheck // that of ctx, and its caller knows what it waited for
	}
	return func() {
		l.turn.Release(1)
		q.drop(session, l)
	}, nil
}

// drop forgets a line that nobody stands in any more.
func (q *queue) drop(session holdfast.SessionID, l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.users--
	if l.users == 0 {
		delete(q.lines, session)
	}
}
