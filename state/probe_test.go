package state_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// moody is a store that fails or hangs when it is to hold a session.
type moody struct {
	state.Driver
	holds atomic.Int32
	fails atomic.Pointer[error]
	hangs atomic.Bool
}

func (m *moody) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	m.holds.Add(1)
	if m.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := m.fails.Load(); err != nil {
		return nil, *err
	}
	return m.Driver.Acquire(ctx, claim)
}

// moodyService is a service on such a store, within a bubble.
func moodyService(t *testing.T) (*moody, *state.Service) {
	t.Helper()
	m := &moody{Driver: memory.New()}
	s := state.Open(m, state.Options{})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return m, s
}

func TestProbe_SaysWhatTheStoreSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, s := moodyService(t)
		require.NoError(t, s.Probe(t.Context()))
		time.Sleep(time.Second)
		full := errors.New("the disk is full")
		m.fails.Store(&full)
		require.ErrorIs(t, s.Probe(t.Context()), full)
		m.fails.Store(nil)
		require.ErrorIs(t, s.Probe(t.Context()), full, "for a moment")
		time.Sleep(time.Second)
		require.NoError(t, s.Probe(t.Context()))
	})
}

// TestProbe_IsShared: however many ask, the store is asked once a second.
func TestProbe_IsShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, s := moodyService(t)
		m.hangs.Store(true)
		answers := make(chan error, 100)
		for range cap(answers) {
			go func() { answers <- s.Probe(t.Context()) }()
		}
		for range cap(answers) {
			require.ErrorIs(t, <-answers, context.DeadlineExceeded, "a store that is silent is not ready")
		}
		require.EqualValues(t, 1, m.holds.Load())
		require.Error(t, s.Probe(t.Context()))
		require.EqualValues(t, 1, m.holds.Load())
	})
}

// TestProbe_WaitsNoLongerThanItsContext, and what the first caller began is not broken off with that one.
func TestProbe_WaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, s := moodyService(t)
		m.hangs.Store(true)
		go func() { _ = s.Probe(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.Probe(ctx), context.Canceled)
		m.hangs.Store(false)
		time.Sleep(5 * time.Second)
		require.NoError(t, s.Probe(t.Context()))
		require.EqualValues(t, 3, m.holds.Load(), "two for one that succeeds")
	})
}
