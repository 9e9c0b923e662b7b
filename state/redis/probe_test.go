package redis_test

import (
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

func TestProbe_FailsWhenTheServerIsFull(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := goredis.NewClient(&goredis.Options{Addr: server.Address()})
	t.Cleanup(func() { _ = client.Close() })
	s := state.Open(open(t, server.URL(), redis.Options{}), state.Options{})
	t.Cleanup(func() { _ = s.Close() })
	require.NoError(t, s.Probe(t.Context()))
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	require.Eventually(t, func() bool { return s.Probe(t.Context()) != nil }, time.Minute, 10*time.Millisecond)
	require.ErrorContains(t, s.Probe(t.Context()), "OOM")
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "0").Err())
	require.Eventually(t, func() bool { return s.Probe(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
}
