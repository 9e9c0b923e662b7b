package activities

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// TestPresent_WaitsForStartersWithoutALease: after an outage they have to renew it first.
func TestPresent_WaitsForStartersWithoutALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := state.Open(memory.New(), state.Options{})
		defer func() { require.NoError(t, service.Close()) }()
		a := New(service)
		set := func(starter string, is state.PresenceState) {
			require.NoError(t, service.SetPresence(t.Context(), "test-abc", starter, is))
		}
		present := func() []string {
			starters, err := a.present(t.Context(), wire.PresentInput{Session: "test-abc"})
			require.NoError(t, err)
			return starters
		}
		set("leaving", state.PresenceLeaving)
		began := time.Now()
		require.Empty(t, present())
		require.Equal(t, began, time.Now(), "nothing to wait for")

		set("lapsed", state.PresenceConnected)
		time.AfterFunc(presentLook/2, func() { _, _ = service.RenewLease(t.Context(), "lapsed") })
		require.Equal(t, []string{"lapsed"}, present(), "it has come back")

		<-time.After(state.PresenceLease)
		time.AfterFunc(presentLook/2, func() { _, _ = service.RemoveLapsed(t.Context(), "test-abc", "lapsed") })
		require.Empty(t, present(), "it was removed")

		set("lapsed", state.PresenceConnected)
		began = time.Now()
		require.Empty(t, present(), "no starter has come back or removed it")
		require.GreaterOrEqual(t, time.Since(began), state.PresenceLease)
	})
}
