package statetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func testChanges(b *bench) {
	for i := range 5 {
		b.put(b, session, i+1, withTasks(taskA))
	}
	changes, err := b.Changes(b.Context(), session, state.Position{Epoch: "epoch1", Revision: 1}, 3)
	b.must(err)
	b.is(len(changes), 3, "as many as asked for")
	for i, c := range changes {
		b.is([]any{c.Revision, string(c.States["State"])}, []any{i + 2, fmt.Sprint(i + 2)}, "a change")
		b.is(*c.Tasks, []state.Task{taskA}, "its tasks")
	}
	changes, err = b.Changes(b.Context(), session, state.Position{Epoch: "epoch1", Revision: 5}, 3)
	b.must(err)
	b.is(len(changes), 0, "changes after the present")
	changes, err = b.Changes(b.Context(), other, state.Position{}, 3)
	b.must(err)
	b.is(len(changes), 0, "changes of a session that does not exist")
}

func testChangesGap(b *bench) {
	for i := range 5 {
		b.put(b, session, i+1, func(c *state.Commit) { c.KeepChanges = 2 })
	}
	for _, at := range []state.Position{{Epoch: "epoch1", Revision: 2}, {Epoch: "epoch1"}, {Epoch: "epoch1", Revision: 6}, {Epoch: "epoch0", Revision: 5}, {}} {
		changes, err := b.Changes(b.Context(), session, at, 10)
		if !errors.Is(err, state.ErrGap) || len(changes) != 0 {
			b.Fatalf("changes after %v: expected ErrGap and none, got %d, %v", at, len(changes), err)
		}
	}
	changes, err := b.Changes(b.Context(), session, state.Position{Epoch: "epoch1", Revision: 3}, 10)
	b.must(err)
	b.is(len(changes), 2, "the changes that are kept")
	if _, err := b.Changes(b.Context(), other, state.Position{Epoch: "epoch1", Revision: 1}, 10); !errors.Is(err, state.ErrGap) {
		b.Fatalf("a position in a session that does not exist: expected ErrGap, got %v", err)
	}
}

// testChangeIsWhole: a change says when it was committed and by which span, and a row of the outbox which span asked for it.
func testChangeIsWhole(b *bench) {
	var want state.Change
	b.put(b, session, 1, withTasks(taskA), withMessage("m"), withPending("traced"), func(c *state.Commit) {
		c.Change.At, c.Change.Trace = taskA.Since, aTrace
		c.Pending = append(c.Pending, state.Pending{ID: "untraced", Kind: state.KindTrigger, Session: session, App: "test", Name: "E", At: taskA.Since})
		want = *c.Change
	})
	changes, err := b.Changes(b.Context(), session, state.Position{Epoch: "epoch1"}, 3)
	b.must(err)
	b.is(changes, []state.Change{want}, "the change as it was written")
	rows, err := b.Outbox(b.Context(), 3)
	b.must(err)
	b.is([]string{rows[0].Trace, rows[1].Trace}, []string{aTrace, ""}, "the traces of the rows")
}

func testMessages(b *bench) {
	for i := range 5 {
		b.put(b, session, i, withMessage(fmt.Sprint("a", i)), withMessage(fmt.Sprint("b", i)), func(c *state.Commit) { c.KeepMessages = 3 })
	}
	_, messages, err := b.Load(b.Context(), session)
	b.must(err)
	names := []string{}
	for _, m := range messages {
		names = append(names, m.Name)
	}
	b.is(names, []string{"b3", "a4", "b4"}, "the messages that are kept, in order")
}

func testOutbox(b *bench) {
	b.put(b, session, 1, withPending("a", "b"))
	b.put(b, session, 2, withPending("c"))
	b.is(b.outbox(10), []string{"a", "b", "c"}, "the outbox")
	b.is(b.outbox(2), []string{"a", "b"}, "the oldest two")
	b.put(b, session, 3, func(c *state.Commit) { c.Settled = []string{"b", "never there"} })
	b.is(b.outbox(10), []string{"a", "c"}, "after one was settled")

	pending, err := b.Outbox(b.Context(), 1)
	b.must(err)
	want := &state.Commit{}
	withPending("a")(want)
	b.is(pending[0], want.Pending[0], "a row as it was written")

	stale, holder := lapsed(b)
	c := next(stale, 666)
	withPending("stale")(c)
	wantExpired(b, stale.Commit(b.Context(), c))
	holder.Release()
	b.is(b.outbox(10), []string{"a", "c"}, "after a stale holder's commit")
}

func (b *bench) outbox(limit int) []string {
	b.Helper()
	pending, err := b.Outbox(b.Context(), limit)
	b.must(err)
	ids := []string{}
	for _, p := range pending {
		ids = append(ids, p.ID)
	}
	return ids
}

// idle is how long nothing happens before it is forgotten; a machine seldom stands still for so long.
const idle = 2 * time.Second

// forgotten has what is older than idle removed until something is, while use says that the rest is in use. It reports whether the
// machine was fast enough for that to mean something.
func (b *bench) forgotten(expiry state.Expiry, use func(), gone func(removed int) bool) (inTime bool) {
	b.Helper()
	for {
		began := time.Now()
		use()
		removed, err := b.Expire(b.Context(), expiry)
		b.must(err)
		if gone(removed) {
			return time.Since(began) < idle
		}
		<-time.After(short)
	}
}

func testExpire(b *bench) {
	for removed := 0; ; {
		b.put(b, session, 1, withMessage("m"), withEntry("o", 1, "k", "1"))
		b.put(b, other, 1)
		b.must(b.Touch(b.Context(), "test-nobody", "o"))
		if b.forgotten(state.Expiry{Idle: idle, Ledger: time.Hour}, func() {
			b.must(b.Touch(b.Context(), other, ""))
		}, func(n int) bool { removed = n; return n > 0 }) {
			b.is(removed, 1, "removed sessions")
			break
		}
	}
	b.is([]string{b.value(b, session), b.value(b, other)}, []string{"", "1"}, "the idle and the touched session")
	_, found := b.recorded("k")
	b.is(found, false, "the ledger of a removed session")
	record, messages, err := b.Load(b.Context(), "test-nobody")
	b.must(err)
	b.is([]any{record.Epoch, len(messages)}, []any{"", 0}, "a session that was touched but never written")
}

func testExpireKeeps(b *bench) {
	b.put(b, "test-held", 1)
	b.put(b, "test-tasks", 1, withTasks(taskA))
	b.put(b, session, 1, withPending("p"))
	b.put(b, other, 1)
	held := b.hold(b, "test-held", long)
	removed, err := b.Expire(b.Context(), state.Expiry{Idle: time.Hour, Ledger: time.Hour})
	b.must(err)
	b.is(removed, 0, "sessions that were in use a moment ago were removed")
	removed, err = b.Expire(b.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
	b.must(err)
	b.is([]any{removed, b.value(b, other)}, []any{1, ""}, "the one session that nobody needs")
	b.must(held.Commit(b.Context(), next(held, 2)))
}

// watching collects notices.
type watching struct {
	some    chan struct{} // holds a token after a notice
	mu      sync.Mutex    // protects what follows
	session map[holdfast.SessionID]bool
	outbox  bool
}

func (w *watching) note(n state.Notice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.session[n.Session] = true
	w.outbox = w.outbox || n.Outbox
	select {
	case w.some <- struct{}{}:
	default:
	}
}

// wait waits for a notice, or for so long that it may never come.
func (w *watching) wait() {
	select {
	case <-w.some:
	case <-time.After(short):
	}
}

func (w *watching) heard(id holdfast.SessionID, outbox bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.session[id] && (w.outbox || !outbox)
}

// watch commits through writer until the watcher of driver, which begins some time, hears of it.
func watch(b *bench, driver, writer state.Driver) {
	contextWith(b, func(ctx context.Context, cancel context.CancelFunc) {
		w := &watching{some: make(chan struct{}, 1), session: map[holdfast.SessionID]bool{}}
		ended := make(chan error)
		go func() { ended <- driver.Watch(ctx, w.note) }()
		for value := 0; !w.heard(session, false); value++ { // until the watch has begun
			b.put(writer, session, value)
			w.wait()
		}
		b.put(writer, other, 1, func(c *state.Commit) {
			withPending("p")(c)
			c.Pending[0].Session = other
		})
		for !w.heard(other, true) {
			w.wait()
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			b.Fatalf("the watch ended with %v", err)
		}
	})
}

func testWatch(b *bench) { watch(b, b, b) }

func testWatchOthers(b *bench) { watch(b, b, opened(b, b.store)) }

func testClose(b *bench) {
	held := b.hold(b, session, long)
	ended := make(chan error)
	begun := make(chan struct{})
	go func() {
		close(begun)
		ended <- b.Watch(b.Context(), func(state.Notice) {})
	}()
	<-begun
	b.must(b.Close())
	if err := <-ended; err == nil {
		b.Fatal("the watch ended without an error")
	}
	if err := held.Commit(b.Context(), next(held, 1)); err == nil {
		b.Fatal("a commit succeeded after Close")
	}
	held.Release()
	if _, err := b.Acquire(b.Context(), state.Claim{Session: session, Lease: long}); err == nil {
		b.Fatal("a hold was given after Close")
	}
	b.must(b.Close())
}
