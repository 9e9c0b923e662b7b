package redis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// TestWhoLivesIsNotedWithoutMemory: a server that is full refuses commits, and starters and pages must not die of it.
func TestWhoLivesIsNotedWithoutMemory(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	put(t, d, session)
	record := "holdfast:{test-one}:record"
	require.NoError(t, client.HSet(t.Context(), record, "touched", 1).Err())
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	_, err := d.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Minute})
	require.ErrorContains(t, err, "OOM", "the server is full")

	_, err = d.RenewLease(t.Context(), "one", time.Minute)
	require.NoError(t, err)
	require.NoError(t, d.SetPresence(t.Context(), session, "one", state.PresenceConnected))
	present, err := d.Presence(t.Context(), session)
	require.NoError(t, err)
	require.Equal(t, []state.Presence{{Session: session, Starter: "one", State: state.PresenceConnected}}, present)
	require.NoError(t, d.Touch(t.Context(), session, ""))
	touched, err := client.HGet(t.Context(), record, "touched").Int64()
	require.NoError(t, err)
	require.Greater(t, touched, int64(1))
}
