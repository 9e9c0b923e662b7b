package redis_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// soon is within what only a failure takes.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// fragile is a driver behind a proxy, with several connections, and another one at the server itself.
func fragile(t *testing.T) (p *proxy, d, safe *redis.Driver) {
	t.Helper()
	server := redistest.Start(t)
	p = newProxy(t, server.Address())
	d, safe = open(t, p.url(), redis.Options{}), open(t, server.URL(), redis.Options{})
	for p.count(false) < 6 {
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() { _, _, _ = d.Load(soon(t), session) })
		}
		group.Wait()
	}
	return p, d, safe
}

// TestSilence_ReplacesAllConnections: with the first that is found silent go those that have been so as long.
func TestSilence_ReplacesAllConnections(t *testing.T) {
	t.Parallel()
	p, d, safe := fragile(t)
	ctx := soon(t)
	p.fallsSilent(false)
	held, err := d.Acquire(ctx, state.Claim{Session: session, Lease: time.Hour})
	require.NoError(t, err)
	require.NoError(t, held.Commit(ctx, full(held, "1")))
	written(t, safe)
	require.Eventually(t, func() bool { return p.count(true) == 0 }, time.Minute, 10*time.Millisecond)
}

// TestSilence_CommitIsWrittenOnce: its request or its answer is swallowed, and it has only the time that the service gives it.
func TestSilence_CommitIsWrittenOnce(t *testing.T) {
	t.Parallel()
	p, d, safe := fragile(t)
	held := hold(t, d, session)
	p.fallsSilent(false)
	require.NoError(t, held.Commit(soon(t), full(held, "1")))
	written(t, safe)
}

func TestSilence_CommitWhoseAnswerIsSwallowed(t *testing.T) {
	t.Parallel()
	p, d, safe := fragile(t)
	held := hold(t, d, session)
	p.swallowsAnswer("epoch1") // what a commit says
	require.NoError(t, held.Commit(soon(t), full(held, "1")))
	written(t, safe)
}

func TestSilence_EndsAWatch(t *testing.T) {
	t.Parallel()
	p, d, _ := fragile(t)
	ctx := soon(t)
	begun, ended := make(chan struct{}), make(chan error)
	var once sync.Once
	go func() {
		ended <- d.Watch(ctx, func(state.Notice) { once.Do(func() { close(begun) }) })
	}()
	<-begun
	p.fallsSilent(false)
	require.Error(t, <-ended)
	require.NoError(t, ctx.Err())
}

// TestSilence_OfAServerIsAnError: no call hangs, although its caller has all the time.
func TestSilence_OfAServerIsAnError(t *testing.T) {
	t.Parallel()
	p := newProxy(t, redistest.Start(t).Address())
	d := open(t, p.url()+"?dial_timeout=300ms&read_timeout=300ms", redis.Options{})
	held := hold(t, d, session)
	p.fallsSilent(true)
	var group sync.WaitGroup
	for _, call := range []func(context.Context) error{
		func(ctx context.Context) error { return d.Touch(ctx, session, "") },
		func(ctx context.Context) error { _, _, err := d.Load(ctx, session); return err },
		func(ctx context.Context) error { _, err := d.Outbox(ctx, 1); return err },
		func(ctx context.Context) error { _, err := d.RenewLease(ctx, "starter", time.Hour); return err },
		func(ctx context.Context) error { return held.Commit(ctx, full(held, "1")) },
		func(ctx context.Context) error {
			_, err := d.Acquire(ctx, state.Claim{Session: "test-two", Lease: time.Hour})
			return err
		},
	} {
		group.Go(func() {
			ctx := soon(t)
			if call(ctx) == nil || ctx.Err() != nil {
				t.Error("a call of a silent server succeeded, or hung")
			}
		})
	}
	group.Wait()
}

// swallowsAnswer has all connections fall silent when the server has got the next request with that text.
func (p *proxy) swallowsAnswer(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var once sync.Once
	p.swallow = func(request []byte) {
		if bytes.Contains(request, []byte(text)) {
			once.Do(func() { p.fallsSilent(false) })
		}
	}
}
