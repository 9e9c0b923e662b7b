package starter

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// queueRows and queueBytes bound what one session has in memory; the rest stays in the outbox.
	queueRows  = 1000
	queueBytes = 8 << 20
	// turnStarts is how many starts one turn of a session makes, all at the same time.
	turnStarts = 8
)

// turns does rows of the outbox: those of a session one after the other, sessions side by side
// and in turn. A session with many rows, or with rows that fail, so delays another session by
// no more than one turn of its own.
//
// A turn that fails because a store or Temporal is away has its session wait. When as many
// sessions as have turns at a time failed, and none succeeded in between, it is an outage:
// then one session at a time tries, once each relayRetry, until one succeeds.
type turns struct {
	relay   *relay
	running sync.WaitGroup
	empty   chan struct{} // holds a token when a queue that had been cut short is empty
	failed  chan struct{} // holds a token when something began to wait

	mu       sync.Mutex // protects all below
	queues   map[queueKey]*rowQueue
	ready    []queueKey      // with rows to do and no turn under way, the longest waiting first
	known    map[string]bool // rows that are in a queue or being done
	since    map[string]bool // rows that left known since the present reading began: it may still list them
	busy     int
	down     map[queueKey]bool // that failed since the last success
	downTill time.Time
	logged   time.Time // when an outage was logged last
	read     time.Time // when rows were taken over last
	whole    time.Time // when the outbox was read last, to its end
	oldest   time.Time // of the rows that it had
	waiting  time.Time // of those that are not to be done now
}

// queueKey is whose rows are done in their order: a session, or a task that was lost. What such a task has left must not hold up
// the session's events.
type queueKey struct {
	session holdfast.SessionID
	task    holdfast.TaskID
}

func keyOf(row *state.Pending) queueKey {
	if row.Kind == state.KindFinally {
		return queueKey{row.Session, row.Task}
	}
	return queueKey{session: row.Session}
}

// rowQueue is what one session has to do.
type rowQueue struct {
	rows  []state.Pending
	bytes int
	busy  bool      // a turn is under way
	cut   bool      // there are more in the outbox
	until time.Time // no turn before
}

func (t *turns) init() {
	t.empty, t.failed = make(chan struct{}, 1), make(chan struct{}, 1)
	t.queues, t.known, t.since, t.down = map[queueKey]*rowQueue{}, map[string]bool{}, map[string]bool{}, map[queueKey]bool{}
	t.whole = time.Now()
}

func token(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// lastRead is when rows were taken over last.
func (t *turns) lastRead() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.read
}

// beginReading begins to note which rows are done while the outbox is read.
func (t *turns) beginReading() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since = map[string]bool{}
}

// readingFailed keeps the age of the outbox going: what has come since the last reading is not known.
func (t *turns) readingFailed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.relay.starter.metrics.waiting(t.relay.lane, earlier(t.oldest, t.whole))
}

// add takes over the rows of a reading, in their order.
func (t *turns) add(ctx context.Context, rows []state.Pending, whole bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.read = now
	behind := map[queueKey]bool{} // queues of which one row has to wait, and so all that follow
	t.oldest, t.waiting = time.Time{}, time.Time{}
	for i := range rows {
		row, key := &rows[i], keyOf(&rows[i])
		t.oldest = earlier(t.oldest, row.At)
		if t.known[row.ID] || t.since[row.ID] || behind[key] {
			continue
		}
		if !t.queue(key, row, now) {
			t.waiting = earlier(t.waiting, row.At)
			behind[key] = t.relay.lane == laneEvents
		}
	}
	if whole {
		t.whole = now
	}
	t.measure()
	t.dispatch(ctx)
}

// queue queues a row unless it has to wait. It requires t.mu.
func (t *turns) queue(key queueKey, row *state.Pending, now time.Time) bool {
	q := t.queues[key]
	if t.relay.backoffs.waits(row.ID, now) || q != nil && now.Before(q.until) {
		return false
	}
	if q == nil {
		q = &rowQueue{}
		t.queues[key] = q
	}
	if q.cut || len(q.rows) >= queueRows || q.bytes+len(row.Argument) > queueBytes && len(q.rows) > 0 {
		q.cut = true
		return true
	}
	if len(q.rows) == 0 && !q.busy {
		t.ready = append(t.ready, key)
	}
	q.rows, q.bytes = append(q.rows, *row), q.bytes+len(row.Argument)
	t.known[row.ID] = true
	return true
}

// resume goes on after an outage.
func (t *turns) resume(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dispatch(ctx)
}

// dispatch begins as many turns as may run. It requires t.mu.
func (t *turns) dispatch(ctx context.Context) {
	for len(t.ready) > 0 && t.busy < t.slots() && ctx.Err() == nil {
		key := t.ready[0]
		t.ready = t.ready[1:]
		q := t.queues[key]
		rows := q.take()
		q.busy = true
		t.busy++
		t.running.Go(func() {
			result, err := t.relay.do(ctx, rows)
			t.finish(ctx, key, rows, result, err)
		})
	}
}

// slots is how many turns may run at the same time. It requires t.mu.
func (t *turns) slots() int {
	switch {
	case len(t.down) < relaySessions:
		return relaySessions
	case time.Now().Before(t.downTill):
		return 0
	default:
		return 1
	}
}

// take takes the rows of one turn out: starts that follow each other, or one row of another kind.
func (q *rowQueue) take() []state.Pending {
	n := 1
	for n < min(len(q.rows), turnStarts) && q.rows[0].Kind == state.KindStart && q.rows[n].Kind == state.KindStart {
		n++
	}
	rows := q.rows[:n:n]
	q.rows = q.rows[n:]
	for i := range rows {
		q.bytes -= len(rows[i].Argument)
	}
	return rows
}

// finish ends a turn and begins the next one.
func (t *turns) finish(ctx context.Context, key queueKey, rows []state.Pending, result result, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy--
	q := t.queues[key]
	q.busy = false
	t.forget(rows)
	now := time.Now()
	switch {
	case err != nil:
		t.fail(ctx, key, q, now, err)
	default:
		clear(t.down)
	}
	if err != nil || result == resultWaits {
		t.waiting = earlier(t.waiting, rows[0].At)
		token(t.failed)
	}
	if err != nil || result == resultWaits && t.relay.lane == laneEvents {
		t.drop(q)
	}
	switch {
	case len(q.rows) > 0:
		t.ready = append(t.ready, key)
	default:
		if q.cut {
			token(t.empty)
			q.cut = false
		}
		if !now.Before(q.until) {
			delete(t.queues, key)
		}
	}
	t.measure()
	t.dispatch(ctx)
}

// fail has a session wait whose turn failed because a store or Temporal is away. It requires t.mu.
func (t *turns) fail(ctx context.Context, key queueKey, q *rowQueue, now time.Time, err error) {
	q.until = now.Add(relayRetry)
	t.down[key] = true
	if len(t.down) >= relaySessions {
		t.downTill = now.Add(relayRetry)
	}
	if ctx.Err() == nil && now.Sub(t.logged) >= relayRetry {
		t.logged = now
		t.relay.starter.log.WarnContext(ctx, "doing what the outbox asks for failed; trying again",
			"session", key.session, "err", err)
	}
}

// drop leaves to the next reading what is queued. It requires t.mu.
func (t *turns) drop(q *rowQueue) {
	t.forget(q.rows)
	q.rows, q.bytes, q.cut = nil, 0, false
}

// forget requires t.mu.
func (t *turns) forget(rows []state.Pending) {
	for i := range rows {
		delete(t.known, rows[i].ID)
		t.since[rows[i].ID] = true
	}
}

// pause is the time until a session that had to wait may have its turn; relayLook if none waits.
func (t *turns) pause(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	pause := relayLook
	if t.slots() == 0 {
		pause = max(t.downTill.Sub(now), 0)
	}
	for key, q := range t.queues {
		switch {
		case q.until.IsZero() || q.busy:
		case now.Before(q.until):
			pause = min(pause, q.until.Sub(now))
		case len(q.rows) == 0:
			delete(t.queues, key) // the reading that follows finds its rows
			pause = 0
		}
	}
	return pause
}

// measure tells the metrics of the oldest row that waits. It requires t.mu.
func (t *turns) measure() {
	oldest := t.oldest
	if t.busy == 0 && len(t.ready) == 0 {
		oldest = t.waiting
		t.oldest = oldest
	}
	t.relay.starter.metrics.waiting(t.relay.lane, oldest)
}
