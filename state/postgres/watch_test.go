package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// stopListening breaks the connections that listen.
const stopListening = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity " +
	"WHERE query LIKE 'LISTEN %' AND datname = current_database()"

// watching is a watch that has begun.
func watching(t *testing.T, d state.Driver) (notices chan state.Notice, ended chan error) {
	t.Helper()
	notices, ended = make(chan state.Notice, 100), make(chan error, 1)
	go func() { ended <- d.Watch(t.Context(), func(n state.Notice) { notices <- n }) }()
	require.Equal(t, state.Notice{All: true, Outbox: true}, <-notices, "what was told before it began is made good")
	return notices, ended
}

func testAWatchThatBreaksEndsWithAnError(t *testing.T, address string) {
	d := open(t, address)
	_, ended := watching(t, d)
	sql(t, address, stopListening)
	require.ErrorContains(t, <-ended, "postgres: watch:")
	watching(t, d)
}

func testNoticesNameTheSession(t *testing.T, address string) {
	d := open(t, address)
	notices, _ := watching(t, d)
	long := holdfast.SessionID("test-" + strings.Repeat("x", 1000)) // as long as an index can have it
	for _, session := range []holdfast.SessionID{"test-one", "+", "-", "test-'\"\\\n🦊", long} {
		held, err := d.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Hour})
		require.NoError(t, err)
		c := next(held, 1)
		require.NoError(t, held.Commit(t.Context(), c))
		require.Equal(t, state.Notice{Session: session}, <-notices)

		held, err = d.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Hour})
		require.NoError(t, err)
		c = next(held, 2)
		c.Pending = []state.Pending{{ID: "p", Kind: state.KindStart, Session: session}}
		require.NoError(t, held.Commit(t.Context(), c))
		require.Equal(t, state.Notice{Session: session, Outbox: true}, <-notices)
	}
}

// testAMissedNoticeIsFoundByReading breaks the watch of one process before another one commits.
func testAMissedNoticeIsFoundByReading(t *testing.T, address string) {
	reading, writing := serve(t, address), open(t, address)
	put(t, writing, 1)
	reader := reading.Follow(statetest.Counting{}.App(), "test-one", &state.Position{Epoch: "epoch"})
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for value := range 3 {
		update, err := reader.Next(ctx)
		require.NoError(t, err)
		require.Equal(t, int64(value+1), update.Change.Revision)
		sql(t, address, stopListening)
		put(t, writing, value+2)
	}
}
