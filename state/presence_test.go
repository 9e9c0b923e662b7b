package state_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// TestPresence_LapsesWithItsLease lets the lease lapse.
func TestPresence_LapsesWithItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := state.Open(memory.New(), state.Options{})
		defer func() { require.NoError(t, service.Close()) }()
		present := func() []string {
			starters, err := service.Presence(t.Context(), session)
			require.NoError(t, err)
			return starters
		}
		first, err := service.RenewLease(t.Context(), "one")
		require.NoError(t, err)
		for _, starter := range []string{"one", "without-a-lease"} {
			require.NoError(t, service.SetPresence(t.Context(), session, starter, state.PresenceConnected))
		}
		require.Equal(t, []string{"one"}, present())
		<-time.After(state.PresenceLease - time.Millisecond)
		require.Equal(t, []string{"one"}, present())
		<-time.After(time.Millisecond)
		require.Empty(t, present())
		again, err := service.RenewLease(t.Context(), "one")
		require.NoError(t, err)
		require.NotEqual(t, first.Term, again.Term)
		require.Equal(t, []string{"one"}, present())
		require.NoError(t, service.SetPresence(t.Context(), session, "one", state.PresenceLeaving))
		require.Empty(t, present(), "one that is leaving is not present")
	})
}
