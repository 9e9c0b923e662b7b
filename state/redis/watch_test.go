package redis_test

import (
	"fmt"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// notices is the stream of the default prefix.
const notices = "{holdfast}:notices"

// watch begins a watch and returns when it hears of commits.
func watch(t *testing.T, d state.Driver, client *goredis.Client) (heard chan state.Notice, ended chan error) {
	t.Helper()
	heard, ended = make(chan state.Notice, 1000), make(chan error, 1)
	go func() { ended <- d.Watch(t.Context(), func(n state.Notice) { heard <- n }) }()
	require.Equal(t, state.Notice{All: true, Outbox: true}, <-heard, "what was told before it began is made good")
	for { // its connection is the one that waits for the stream
		clients, err := client.ClientList(t.Context()).Result()
		require.NoError(t, err)
		if strings.Contains(clients, "cmd=xread") {
			return heard, ended
		}
	}
}

func TestWatchOfAMissingNoticeSaysAll(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	put(t, d, session)
	heard, _ := watch(t, d, client)
	put(t, d, session)
	require.Equal(t, state.Notice{Session: session, Outbox: true}, <-heard)
	add := func(n int) {
		require.NoError(t, client.XAdd(t.Context(), &goredis.XAddArgs{
			Stream: notices, ID: fmt.Sprint(n, "-0"), Values: []string{"session", "test-two", "outbox", "0"},
		}).Err())
	}
	add(3)
	require.Equal(t, state.Notice{Session: "test-two"}, <-heard)
	add(9) // it was trimmed up to here
	require.Equal(t, state.Notice{All: true, Outbox: true}, <-heard)
	put(t, d, session)
	require.Equal(t, state.Notice{Session: session, Outbox: true}, <-heard)
}

func TestWatchOfAStreamThatBeganAnewSaysAll(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	put(t, d, session)
	heard, _ := watch(t, d, client)
	require.NoError(t, client.Del(t.Context(), notices).Err())
	require.Equal(t, state.Notice{All: true, Outbox: true}, <-heard)
	put(t, d, session)
	require.Equal(t, state.Notice{Session: session, Outbox: true}, <-heard)
}

// TestWatchEndsWithTheConnection: what is told while it is away would be missed.
func TestWatchEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	_, ended := watch(t, d, client)
	server.Restart()
	err := <-ended
	require.ErrorContains(t, err, "redis: watch: ")
	require.NoError(t, t.Context().Err())
}

func TestNoticesAreBounded(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendfsync", "no")
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	pipe := client.Pipeline()
	for n := range 12_000 {
		id := fmt.Sprint(n+1, "-0")
		pipe.XAdd(t.Context(), &goredis.XAddArgs{Stream: notices, ID: id, Values: []string{"session", "", "outbox", "0"}})
	}
	_, err := pipe.Exec(t.Context())
	require.NoError(t, err)
	put(t, d, session)
	length, err := client.XLen(t.Context(), notices).Result()
	require.NoError(t, err)
	require.Less(t, length, int64(10_500))
}
