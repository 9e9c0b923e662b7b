package redis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// put writes a full commit.
func put(t testing.TB, d state.Driver, id holdfast.SessionID) {
	t.Helper()
	held := hold(t, d, id)
	require.NoError(t, held.Commit(t.Context(), full(held, "1")))
}

// each calls f for each key in the cluster, with the server that has it.
func each(t *testing.T, c *redistest.Cluster, f func(ctx context.Context, server *goredis.Client, key string)) {
	t.Helper()
	for _, s := range c.Servers() {
		client := raw(t, s)
		keys, err := client.Keys(t.Context(), "*").Result()
		require.NoError(t, err)
		for _, key := range keys {
			f(t.Context(), client, key)
		}
	}
}

func TestKeysOfASessionAreInOneSlot(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	d := open(t, cluster.URL(), redis.Options{})
	for _, id := range []holdfast.SessionID{"test-one", "test-}{%7d two", "} three"} {
		put(t, d, id)
		held := hold(t, d, id)
		wait(t, d, id, cluster)
		slots, indexes := map[int64]int{}, 0
		each(t, cluster, func(ctx context.Context, server *goredis.Client, key string) {
			slot, err := server.ClusterKeySlot(ctx, key).Result()
			require.NoError(t, err)
			if strings.HasPrefix(key, "holdfast:") {
				slots[slot]++
			} else {
				indexes++
			}
		})
		require.Len(t, slots, 1, "%v", slots)
		for _, n := range slots {
			// lease, waiting, record, documents, changes, messages, ledger, marks, owners, numbered, order, rows
			require.Equal(t, 12, n, "all kinds of keys")
		}
		require.Positive(t, indexes)

		c := full(held, "1") // settle everything, so that the session can go
		c.Pending, c.Settled, c.Tasks = nil, []string{"p0"}, nil
		require.NoError(t, held.Commit(t.Context(), c))
		removed, err := d.Expire(t.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
		require.NoError(t, err)
		require.Equal(t, 1, removed)
		each(t, cluster, func(_ context.Context, _ *goredis.Client, key string) {
			require.NotContains(t, key, "holdfast:{", "what an expired session leaves")
		})
	}
}

// wait waits for the session, which is held, until the mark of one that waits is there.
func wait(t *testing.T, d state.Driver, id holdfast.SessionID, cluster *redistest.Cluster) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := d.Acquire(ctx, state.Claim{Session: id, Lease: time.Minute})
		ended <- err
	}()
	for marked := false; !marked; {
		each(t, cluster, func(_ context.Context, _ *goredis.Client, key string) {
			marked = marked || strings.HasSuffix(key, "}:waiting")
		})
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// TestIndexesAreMadeGoodAfterAFailover: the server with the indexes has lost its last writes. A watch that begins anew has them compared
// with the sessions.
func TestIndexesAreMadeGoodAfterAFailover(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	d := open(t, cluster.URL(), redis.Options{})
	all := []holdfast.SessionID{"test-one", "test-}{%7d two", "test-three"}
	for _, id := range all {
		put(t, d, id)
	}
	each(t, cluster, func(ctx context.Context, server *goredis.Client, key string) {
		if strings.HasPrefix(key, "{holdfast:") {
			require.NoError(t, server.Del(ctx, key).Err())
		}
	})
	listed, err := d.Listed(t.Context())
	require.NoError(t, err)
	require.Empty(t, listed)

	go func() { _ = d.Watch(t.Context(), func(state.Notice) {}) }()
	require.Eventually(t, func() bool {
		listed, err := d.Listed(t.Context())
		pending, pendingErr := d.Outbox(t.Context(), 10)
		return err == nil && pendingErr == nil && len(listed) == len(all) && len(pending) == len(all)
	}, time.Minute, 10*time.Millisecond)
}
