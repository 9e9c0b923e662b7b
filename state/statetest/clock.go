package statetest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-run/holdfast/state"
)

// skewed runs f as a process whose clock is wrong by decades: a bubble's clock begins with the year 2000, and is
// moved on by the given time.
func skewed(b *bench, on time.Duration, f func(wrong *bench)) {
	b.Helper()
	synctest.Test(b.T, func(t *testing.T) {
		time.Sleep(on) // before anything waits for the store, which would stop the bubble's clock
		wrong := &bench{T: t, store: b.store, Driver: opened(t, b.store)}
		f(wrong)
		wrong.must(wrong.Close())
	})
}

// behind is no time after the year 2000; ahead is long after the present.
const (
	behind = time.Duration(0)
	ahead  = 100 * 365 * 24 * time.Hour
)

func testClockBehind(b *bench) { testClock(b, behind) }
func testClockAhead(b *bench)  { testClock(b, ahead) }

func testClock(b *bench, on time.Duration) {
	b.renew(b, "right", long)
	b.connect(session, "right")
	b.put(b, other, 1, withEntry("o", 1, "k", "1"))
	expiry := state.Expiry{Idle: time.Minute, Ledger: time.Minute}
	skewed(b, on, func(wrong *bench) {
		wrong.renew(wrong, "wrong", long)
		wrong.connect(session, "wrong")
		wrong.put(wrong, session, 1, withEntry("o", 1, "k", "1"))
		wrong.must(wrong.Touch(wrong.Context(), other, ""))
		wrong.removes(expiry, 0)
		wrong.presence(wrong, other)
	})
	b.presence(b, session, "right connected", "wrong connected")
	b.removes(expiry, 0)
	_, found := b.recorded("k")
	b.is(found, true, "a call of a moment ago")
}

func testHolderBehind(b *bench) { testHolderDies(b, behind) }
func testHolderAhead(b *bench)  { testHolderDies(b, ahead) }

// testHolderDies has a process with a wrong clock die while it holds a session, which a right one takes after the
// lease. (In the bubble nothing can wait for the store: its clock stands still meanwhile.)
func testHolderDies(b *bench, on time.Duration) {
	skewed(b, on, func(wrong *bench) {
		wrong.hold(wrong, session, short)
	})
	ctx, cancel := context.WithTimeout(b.Context(), long)
	defer cancel()
	held, err := b.Acquire(ctx, state.Claim{Session: session, Lease: long})
	b.must(err)
	b.must(held.Commit(b.Context(), next(held, 1)))
}

// removes expires, and requires that so many sessions went.
func (b *bench) removes(e state.Expiry, want int) {
	b.Helper()
	removed, err := b.Expire(b.Context(), e)
	b.must(err)
	b.is(removed, want, "sessions that were removed")
}
