package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/postgres"
)

// fragile is a driver behind a proxy, and another one, safe, at the server itself.
func fragile(t *testing.T, address string) (p *proxy, d, safe *postgres.Driver) {
	t.Helper()
	p, through := proxied(t, address)
	return p, open(t, through), open(t, address)
}

func testACommitWhoseAnswerIsLostIsWrittenOnce(t *testing.T, address string) {
	p, d, safe := fragile(t, address)
	put(t, d, 1)
	held := hold(t, d)
	p.losesAnswer("COMMIT", func() {})
	require.NoError(t, held.Commit(t.Context(), next(held, 2)))
	record, _, err := safe.Load(t.Context(), "test-one")
	require.NoError(t, err)
	require.Equal(t, int64(2), record.Version)
	put(t, safe, 3)
}

func testACommitThatIsLostIsSentAgain(t *testing.T, address string) {
	p, d, safe := fragile(t, address)
	held := hold(t, d)
	p.losesRequest()
	require.NoError(t, held.Commit(t.Context(), next(held, 1)))
	requireValue(t, safe, "1")
}

// testADoubtIsNoLostLock: others have written since, so nobody can tell the holder whether it had been written before.
func testADoubtIsNoLostLock(t *testing.T, address string) {
	p, d, safe := fragile(t, address)
	held := hold(t, d)
	p.losesAnswer("COMMIT", func() { put(t, safe, 2) })
	err := held.Commit(t.Context(), next(held, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, holdfast.ErrLockExpired)
	requireValue(t, safe, "2")
}

// testALostLockIsToldInSpiteOfALostConnection: nobody has written since, so it is certain.
func testALostLockIsToldInSpiteOfALostConnection(t *testing.T, address string) {
	p, d, safe := fragile(t, address)
	stale, err := d.Acquire(t.Context(), state.Claim{Session: "test-one", Lease: time.Microsecond})
	require.NoError(t, err)
	holder := hold(t, safe)
	p.losesRequest()
	require.ErrorIs(t, stale.Commit(t.Context(), next(stale, 666)), holdfast.ErrLockExpired)
	require.NoError(t, holder.Commit(t.Context(), next(holder, 1)))
	requireValue(t, safe, "1")
}

// testAHoldWhoseAnswerIsLostIsHad: the term makes taking a hold one that may be repeated.
func testAHoldWhoseAnswerIsLostIsHad(t *testing.T, address string) {
	p, d, safe := fragile(t, address)
	put(t, d, 1)
	p.losesAnswer("INSERT 0 1", func() {}) // that to the row of the hold
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	held, err := d.Acquire(ctx, state.Claim{Session: "test-one", Lease: time.Hour})
	require.NoError(t, err)
	require.NoError(t, held.Commit(t.Context(), next(held, 2)))
	p.losesRequest()
	requireValue(t, d, "2")
	p.losesRequest()
	require.NoError(t, d.Touch(t.Context(), "test-one", ""))
	requireValue(t, safe, "2")
}
