package redis_test

import (
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// TestDurability_FollowsTheSettings of the server at the moment.
func TestDurability_FollowsTheSettings(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := goredis.NewClient(&goredis.Options{Addr: server.Address()})
	t.Cleanup(func() { _ = client.Close() })
	d := open(t, server.URL(), redis.Options{})
	for i, settings := range [][2]string{{"yes", "always"}, {"yes", "everysec"}, {"yes", "no"}, {"no", "always"}} {
		require.NoError(t, client.ConfigSet(t.Context(), "appendonly", settings[0]).Err())
		require.NoError(t, client.ConfigSet(t.Context(), "appendfsync", settings[1]).Err())
		row, err := d.Durability(t.Context())
		require.NoError(t, err)
		require.Equal(t, redis.Durabilities()[i], row, settings)
	}
}
