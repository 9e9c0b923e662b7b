package state_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// pauses is a clock that jumps ahead, as a process sees it that was stopped meanwhile.
type pauses struct{ total atomic.Int64 }

func (p *pauses) now() time.Time          { return time.Now().Add(time.Duration(p.total.Load())) }
func (p *pauses) pause(gap time.Duration) { p.total.Add(int64(gap)) }

func TestOverrun_IsWhatTheFunctionTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, state.Options{})
		clock := &pauses{}
		b.SetClock(clock.now)
		require.NoError(t, b.do(func(tx *holdfast.Tx, s *State) error {
			for range 5 { // the process is stopped time and again, for far longer than the deadline
				time.Sleep(500 * time.Millisecond)
				clock.pause(time.Hour)
			}
			s.Counter++
			return tx.Context().Err()
		}))
		require.ErrorIs(t, b.do(func(*holdfast.Tx, *State) error {
			time.Sleep(4 * time.Second)
			clock.pause(time.Hour)
			time.Sleep(2 * time.Second)
			return nil
		}), holdfast.ErrOverrun, "what it took before and after the pause counts")
		require.JSONEq(t, `{"counter":1}`, string(b.snapshot().States["State"]))
		time.Sleep(time.Minute) // until the function returns
	})
}

func TestOverrun_EndsContextWithItsCause(t *testing.T) {
	t.Parallel()
	causeOf := func(t *testing.T, driver state.Driver) error {
		t.Helper()
		service := state.Open(driver, state.Options{})
		b := newBench(t, state.Options{})
		cause := make(chan error, 1)
		_ = service.Do(t.Context(), b.app, session, func(tx *holdfast.Tx, _ *State) error {
			<-tx.Context().Done()
			cause <- context.Cause(tx.Context())
			return nil
		})
		require.NoError(t, service.Close())
		return <-cause
	}
	synctest.Test(t, func(t *testing.T) {
		require.ErrorIs(t, causeOf(t, memory.New()), holdfast.ErrOverrun)
		lost := causeOf(t, losing{memory.New()})
		require.ErrorIs(t, lost, holdfast.ErrLockExpired)
		require.NotErrorIs(t, lost, holdfast.ErrOverrun)
	})
}

// slow is a driver whose renewals take their time.
type slow struct{ state.Driver }

type slowHeld struct{ state.Held }

func (s slow) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	held, err := s.Driver.Acquire(ctx, claim)
	return slowHeld{held}, err
}

func (s slowHeld) Renew(ctx context.Context, lease time.Duration) error {
	<-time.After(400 * time.Millisecond)
	return s.Held.Renew(ctx, lease)
}

func TestOverrun_CountsWhileLockIsRenewed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := state.Open(slow{memory.New()}, state.Options{})
		b := newBench(t, state.Options{})
		began := time.Now()
		err := service.Do(t.Context(), b.app, session, func(tx *holdfast.Tx, _ *State) error { <-tx.Context().Done(); return nil })
		require.ErrorIs(t, err, holdfast.ErrOverrun)
		require.LessOrEqual(t, time.Since(began), service.Deadline()+400*time.Millisecond)
		require.NoError(t, service.Close())
	})
}
