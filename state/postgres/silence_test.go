package postgres_test

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/postgres"
)

// soon is within what only a failure takes: a kernel alone finds out after a quarter of an hour.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// testASilentConnectionIsReplaced: the idle ones of the pool with it.
func testASilentConnectionIsReplaced(t *testing.T, address string) {
	p, d, safe := fragile(t, address)
	ctx := soon(t)
	for p.count(false) < 3 {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() { _, _, _ = d.Load(ctx, "test-one") })
		}
		group.Wait()
	}
	p.fallsSilent(false)
	held, err := d.Acquire(ctx, state.Claim{Session: "test-one", Lease: time.Hour})
	require.NoError(t, err)
	require.NoError(t, held.Commit(ctx, next(held, 1)))
	requireValue(t, safe, "1")
	require.Eventually(t, func() bool { return p.count(true) == 0 }, time.Minute, 10*time.Millisecond)

	held = hold(t, d)
	p.fallsSilent(false)
	require.NoError(t, held.Renew(ctx, time.Hour))
	p.fallsSilent(false)
	require.NoError(t, held.Commit(ctx, next(held, 2)))
	p.fallsSilent(false)
	_, err = d.Outbox(ctx, 1)
	require.NoError(t, err)
	requireValue(t, safe, "2")
}

// testACommitWhoseAnswerIsSwallowed is written once, and known to be.
func testACommitWhoseAnswerIsSwallowed(t *testing.T, address string) {
	p, d, safe := fragile(t, address)
	put(t, d, 1)
	held := hold(t, d)
	p.swallowsAnswer("COMMIT")
	require.NoError(t, held.Commit(soon(t), next(held, 2)))
	record, _, err := safe.Load(t.Context(), "test-one")
	require.NoError(t, err)
	require.Equal(t, int64(2), record.Version)
}

func testASilentWatchEnds(t *testing.T, address string) {
	p, d, _ := fragile(t, address)
	begun, ended := make(chan struct{}), make(chan error)
	var once sync.Once
	go func() {
		ended <- d.Watch(soon(t), func(state.Notice) { once.Do(func() { close(begun) }) })
	}()
	<-begun
	p.fallsSilent(false)
	require.ErrorContains(t, <-ended, "the server does not answer")
}

// testASilentServerIsAnError: no call hangs, although its caller has all the time.
func testASilentServerIsAnError(t *testing.T, address string) {
	p, through := proxied(t, address)
	d := open(t, with(t, through, func(u *url.URL) { u.RawQuery += "&connect_timeout=1" }))
	held := hold(t, d)
	p.fallsSilent(true)
	var group sync.WaitGroup
	for _, call := range []func(context.Context, *postgres.Driver) error{
		func(ctx context.Context, d *postgres.Driver) error { return d.Touch(ctx, "test-one", "") },
		func(ctx context.Context, d *postgres.Driver) error { _, _, err := d.Load(ctx, "test-one"); return err },
		func(ctx context.Context, d *postgres.Driver) error { _, err := d.Outbox(ctx, 1); return err },
		func(ctx context.Context, d *postgres.Driver) error {
			_, err := d.RenewLease(ctx, "starter", time.Hour)
			return err
		},
		func(ctx context.Context, _ *postgres.Driver) error { return held.Commit(ctx, next(held, 1)) },
		func(ctx context.Context, d *postgres.Driver) error {
			_, err := d.Acquire(ctx, state.Claim{Session: "test-two", Lease: time.Hour})
			return err
		},
	} {
		group.Go(func() {
			ctx := soon(t)
			if call(ctx, d) == nil || ctx.Err() != nil {
				t.Error("a call of a silent server succeeded, or hung")
			}
		})
	}
	group.Wait()
}

// testARowThatIsLockedIsNoSilence: who waits for it goes on when it is free, however long that takes.
func testARowThatIsLockedIsNoSilence(t *testing.T, address string) {
	d := open(t, address)
	put(t, d, 1)
	end := locking(t, address)
	acquired := acquiring(t, d, time.Hour)
	waitsFor(t, address, acquired, time.Second)
	conn := connected(t, address)
	require.Eventually(t, func() bool { // the first try has ended, and another one waits
		return ask(t, conn, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
			AND datname = current_database() AND query_start + interval '1s' > clock_timestamp()`) == 1
	}, time.Minute, 10*time.Millisecond)
	end()
	require.NoError(t, <-acquired)
}
