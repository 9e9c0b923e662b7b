package redis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// TestAServerThatIsFullIsRelieved: what it keeps is looked at first, and must not keep the rest from going.
func TestAServerThatIsFullIsRelieved(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	put(t, d, session)
	put(t, d, session) // it has tasks, and was used later than the index says
	idle := hold(t, d, "test-idle")
	require.NoError(t, idle.Commit(t.Context(), &state.Commit{Epoch: "epoch1", Version: 1}))
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	removed, err := d.Expire(t.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
	require.NoError(t, err)
	require.Equal(t, 1, removed)
}
