package redis_test

import (
	"context"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// TestEndOfAHoldIsToldToWhoWaits: the word goes out if somebody waits, and only then.
func TestEndOfAHoldIsToldToWhoWaits(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	listener := client.Subscribe(t.Context(), "holdfast:freed")
	t.Cleanup(func() { _ = listener.Close() })
	_, err := listener.Receive(t.Context()) // the subscription stands
	require.NoError(t, err)

	hold(t, d, "test-nobody").Release() // nobody waits for this one
	for _, end := range []func(state.Held){
		state.Held.Release,
		func(held state.Held) { require.NoError(t, held.Commit(t.Context(), full(held, "1"))) },
	} {
		held := hold(t, d, session)
		got := make(chan state.Held)
		go func() {
			second, err := d.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Minute})
			if err != nil {
				close(got)
				return
			}
			got <- second
		}()
		for { // until it waits
			n, err := client.Exists(t.Context(), "holdfast:{test-one}:waiting").Result()
			require.NoError(t, err)
			if n == 1 {
				break
			}
		}
		end(held)
		message, err := listener.ReceiveMessage(t.Context())
		require.NoError(t, err)
		require.Equal(t, string(session), message.Payload)
		second := <-got
		require.NotNil(t, second)
		second.Release()
	}
}

// TestALeaseWhoseAnswerIsLostIsGivenUp: who takes it next need not wait for its end.
func TestALeaseWhoseAnswerIsLostIsGivenUp(t *testing.T) {
	t.Parallel()
	server, between := losing(t)
	d, other := open(t, between.url()+"?max_retries=-1", redis.Options{}), open(t, server.URL(), redis.Options{})
	between.lose("holdfast:{test-one}:lease", 1, nil)
	_, err := d.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Hour})
	require.ErrorIs(t, err, io.EOF)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	held, err := other.Acquire(ctx, state.Claim{Session: session, Lease: time.Hour})
	require.NoError(t, err)
	held.Release()
}

func TestCloseEndsWaiting(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, other := open(t, server.URL(), redis.Options{}), open(t, server.URL(), redis.Options{})
	hold(t, other, session)
	ended := make(chan error, 1)
	go func() {
		_, err := d.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Minute})
		ended <- err
	}()
	require.NoError(t, d.Close())
	require.Error(t, <-ended)
}

// TestHoldOutlivesTheServer: the lease is in the server's file, so a restart frees no session that is held.
func TestHoldOutlivesTheServer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d := open(t, server.URL(), redis.Options{})
	held := hold(t, d, session)
	server.Restart()
	require.NoError(t, held.Renew(t.Context(), time.Minute))
	require.NoError(t, held.Commit(t.Context(), full(held, "1")))
	written(t, d)
}

// lapse returns a hold whose lease has lapsed by the server's clock, and that nobody has taken.
func lapse(t *testing.T, d state.Driver, client *goredis.Client) state.Held {
	t.Helper()
	held, err := d.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Millisecond})
	require.NoError(t, err)
	lease, err := client.Get(t.Context(), "holdfast:{test-one}:lease").Result()
	require.NoError(t, err)
	_, text, _ := strings.Cut(lease, " ")
	till, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	for {
		now, err := client.Time(t.Context()).Result()
		require.NoError(t, err)
		if now.UnixMilli() > till {
			return held
		}
	}
}

func TestLapsedHoldThatNobodyTookIsGood(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	d, client := open(t, server.URL(), redis.Options{}), raw(t, server)
	held := lapse(t, d, client)
	require.NoError(t, held.Commit(t.Context(), full(held, "1")))
	written(t, d)
	held = lapse(t, d, client)
	require.NoError(t, held.Renew(t.Context(), time.Minute))
}
