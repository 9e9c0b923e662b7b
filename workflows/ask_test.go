package workflows_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/workflows"
)

// away is a store that does not say who is present for some calls.
type away struct {
	state.Driver
	calls atomic.Int64
}

func (a *away) Presence(ctx context.Context, session holdfast.SessionID) ([]state.Presence, error) {
	if a.calls.Add(1) <= 5 {
		return nil, errors.New("the store is away")
	}
	return a.Driver.Presence(ctx, session)
}

// TestDisconnect_AsksForPages: a task ends for want of a page only when the state service says
// that none is connected, whatever was signalled or not.
func TestDisconnect_AsksForPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    wire.TaskInput
		grace time.Duration
		beats func(*bench)
	}{
		"no beat for the time to live":       {attended("one"), grace, func(*bench) {}},
		"the same with the least grace":      {attended("one"), time.Second, func(*bench) {}},
		"the word of another one is lost":    {attended("two"), grace, func(b *bench) { b.beat(time.Minute, "two", false) }},
		"a late word of its own is mistaken": {attended("one"), grace, func(b *bench) { b.beat(time.Minute, "one", false) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var took time.Duration
			var cause error
			b := newBenchOver(t, &away{Driver: memory.New()}, holdfast.Named("Task", idle(&took, &cause)))
			_, err := b.service.RenewLease(t.Context(), "one")
			require.NoError(t, err)
			note := func(is state.PresenceState) {
				require.NoError(t, b.service.SetPresence(t.Context(), session, "one", is))
			}
			note(state.PresenceConnected)
			c.beats(b)
			b.RegisterDelayedCallback(func() { note(state.PresenceNone) }, time.Hour)
			c.in.Level, c.in.Disconnect.Grace = wire.LevelAsksForPages, c.grace
			err = b.run("Task", c.in)
			require.True(t, temporal.IsCanceledError(err), "%v", err)
			require.ErrorIs(t, cause, workflows.ErrDisconnected)
			require.GreaterOrEqual(t, took, time.Hour)
			require.LessOrEqual(t, took, time.Hour+ttl+2*grace)
		})
	}
}

// TestDisconnect_GraceBeginsAnewAfterTheAnswer: a page that was there when the task asked, and
// goes before the task has the answer, may come back within the grace period.
func TestDisconnect_GraceBeginsAnewAfterTheAnswer(t *testing.T) {
	t.Parallel()
	var took time.Duration
	var cause error
	b := newBench(t, holdfast.Named("Task", idle(&took, &cause)))
	const answer = time.Minute
	present := []string{"one"}
	b.OnActivity(wire.Present, mockAny, mockAny).After(answer).Return(func(context.Context, wire.PresentInput) ([]string, error) {
		defer func() { present = nil }()
		return present, nil
	})
	b.beat(ttl+grace+answer/2, "one", false)
	in := attended("one")
	in.Level = wire.LevelAsksForPages
	require.True(t, temporal.IsCanceledError(b.run("Task", in)))
	require.ErrorIs(t, cause, workflows.ErrDisconnected)
	require.Equal(t, ttl+grace+answer+grace+answer, took.Truncate(time.Second))
}
