package statetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func testAcquireCreatesNothing(b *bench) {
	held := b.hold(b, session, long)
	b.is(held.Record().Epoch, "", "the epoch of a session that does not exist")
	b.is(held.Record().Session, session, "the record's session")
	if _, found := held.Recorded(); found {
		b.Fatal("found a call that nobody asked for")
	}
	held.Release()
	record, messages, err := b.Load(b.Context(), session)
	b.must(err)
	b.is(record.Position(), state.Position{}, "the position of a session that does not exist")
	b.is(len(messages)+len(record.Documents)+len(record.Tasks), 0, "what a session that does not exist has")
}

func testAcquireWaits(b *bench) {
	held := b.hold(b, session, long)
	got := make(chan state.Held)
	go func() {
		second, err := b.Acquire(b.Context(), state.Claim{Session: session, Lease: long})
		if err != nil {
			b.Errorf("acquire: %v", err)
		}
		got <- second
	}()
	select {
	case <-got:
		b.Fatal("two holders")
	case <-time.After(short):
	}
	b.must(held.Commit(b.Context(), next(held, 1)))
	second := <-got
	b.is(string(second.Record().Documents["State"]), "1", "what the next holder sees")
	second.Release()
}

func testAcquireHeedsContext(b *bench) {
	defer b.hold(b, session, long).Release()
	contextWith(b, func(ctx context.Context, cancel context.CancelFunc) {
		ended := make(chan error)
		go func() {
			_, err := b.Acquire(ctx, state.Claim{Session: session, Lease: long})
			ended <- err
		}()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			b.Fatalf("expected context.Canceled, got %v", err)
		}
	})
}

func testOtherSessionsAreFree(b *bench) {
	defer b.hold(b, session, long).Release()
	b.put(b, other, 1)
	b.is(b.value(b, session), "", "reading does not wait for the holder")
}

// contend lets callers increment one value through several drivers, and counts how many hold at the same time.
func contend(b *bench, drivers []state.Driver, callers, times int) {
	var holders, overlaps atomic.Int32
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for range times {
				held, err := drivers[i%len(drivers)].Acquire(b.Context(), state.Claim{Session: session, Lease: long})
				if err != nil {
					b.Errorf("acquire: %v", err)
					return
				}
				if holders.Add(1) != 1 {
					overlaps.Add(1)
				}
				c := next(held, int(held.Record().Version+1))
				holders.Add(-1)
				if err := held.Commit(b.Context(), c); err != nil {
					b.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	group.Wait()
	b.is(overlaps.Load(), 0, "overlapping holds")
	record, _, err := b.Load(b.Context(), session)
	b.must(err)
	b.is(record.Version, callers*times, "commits")
	b.is(string(record.Documents["State"]), show(callers*times), "the value")
}

func testOneHolder(b *bench) { contend(b, []state.Driver{b}, 16, 10) }

func testOneHolderAcrossDrivers(b *bench) {
	contend(b, []state.Driver{b, opened(b, b.store), opened(b, b.store)}, 12, 10)
}

func testLeaseLapses(b *bench) {
	b.hold(b, session, short) // and never heard of again
	b.put(b, session, 1)
	b.is(b.value(b, session), "1", "what the next holder wrote")
}

func testProcessDies(b *bench) {
	process := opened(b, b.store)
	b.hold(process, session, short)
	_ = process.Close()
	b.put(b, session, 1)
}

func testRenew(b *bench) {
	held := b.hold(b, session, short)
	b.must(held.Renew(b.Context(), long))
	ctx, cancel := context.WithTimeout(b.Context(), 3*short)
	defer cancel()
	if _, err := b.Acquire(ctx, state.Claim{Session: session, Lease: long}); !errors.Is(err, context.DeadlineExceeded) {
		b.Fatalf("a renewed hold was taken: %v", err)
	}
	b.must(held.Commit(b.Context(), next(held, 1)))
}

func testRelease(b *bench) {
	held := b.hold(b, session, long)
	held.Release()
	held.Release()
	b.must(b.hold(b, session, long).Commit(b.Context(), next(held, 1)))
	b.is(b.value(b, session), "1", "the value")

	committed := b.hold(b, session, long)
	b.must(committed.Commit(b.Context(), next(committed, 2)))
	holder := b.hold(b, session, long)
	committed.Release() // must not touch the new holder
	b.must(holder.Commit(b.Context(), next(holder, 3)))
}

// lapsed is a holder whose lease has run out and whose session another has taken.
func lapsed(b *bench) (stale, holder state.Held) {
	stale = b.hold(b, session, short)
	holder = b.hold(b, session, long)
	return stale, holder
}

func testStaleCommit(b *bench) {
	stale, holder := lapsed(b)
	wantExpired(b, stale.Commit(b.Context(), next(stale, 666)))
	b.is(b.value(b, session), "", "the stale holder's value")
	b.must(holder.Commit(b.Context(), next(holder, 1)))
	wantExpired(b, stale.Commit(b.Context(), next(stale, 666)))
	b.is(b.value(b, session), "1", "the holder's value")
}

func testStaleRenew(b *bench) {
	stale, holder := lapsed(b)
	wantExpired(b, stale.Renew(b.Context(), long))
	b.must(holder.Commit(b.Context(), next(holder, 1)))
	wantExpired(b, stale.Renew(b.Context(), long))
}

func testStaleRelease(b *bench) {
	stale, holder := lapsed(b)
	stale.Release()
	b.must(holder.Commit(b.Context(), next(holder, 1)))
}

func testFenceOverExpiry(b *bench) {
	stale := b.hold(b, session, short)
	b.put(b, session, 1)
	_, err := b.Expire(b.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
	b.must(err)
	b.put(b, session, 2, func(c *state.Commit) { c.Epoch = "epoch2" })
	wantExpired(b, stale.Commit(b.Context(), next(stale, 666)))
	b.is(b.value(b, session), "2", "the value of the session that was created anew")
}

func wantExpired(b *bench, err error) {
	b.Helper()
	if !errors.Is(err, holdfast.ErrLockExpired) {
		b.Fatalf("expected ErrLockExpired, got %v", err)
	}
}
