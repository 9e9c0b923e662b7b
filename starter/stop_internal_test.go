package starter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
)

func (s *site) cancelAll() {
	s.t.Helper()
	require.NoError(s.t, s.state.Cancel(s.t.Context(), "here-a", state.Key{}, "", "by hand"))
}

func (s *site) outbox() []state.Pending {
	s.t.Helper()
	rows, err := s.state.Outbox(s.t.Context(), 100)
	require.NoError(s.t, err)
	return rows
}

// cancelling runs a starter, and a test on it of how a task ends that is cancelled.
func cancelling(t *testing.T, test func(s *site, temporal *server)) {
	t.Helper()
	inBubble(t, func(s *site) {
		temporal := newServer()
		one := s.starterOn(temporal)
		defer s.close(one)
		test(s, temporal)
		require.Empty(t, s.tasks("here-a"))
		require.Empty(t, s.outbox(), "nothing is left to be done")
	})
}

// TestCancel_OfAStartThatWaits: Temporal has no time for it, and then it has.
func TestCancel_OfAStartThatWaits(t *testing.T) {
	cancelling(t, func(s *site, temporal *server) {
		temporal.set(func(f *server) { f.refuses = true })
		s.send(appNamed("here"), "here-a", "Begin")
		pause(100 * time.Millisecond)
		s.cancelAll()
		require.Empty(t, s.tasks("here-a"))
		temporal.set(func(f *server) { f.refuses = false })
		pause(2 * lateStart)
		require.Empty(t, temporal.did(), "it never starts")
	})
}

// TestCancel_OfAStartThatIsUnderWay: it takes effect after the cancellation, which ends it.
func TestCancel_OfAStartThatIsUnderWay(t *testing.T) {
	cancelling(t, func(s *site, temporal *server) {
		held := make(chan struct{})
		temporal.set(func(f *server) { f.held = held })
		s.send(appNamed("here"), "here-a", "Begin")
		pause(time.Second)
		s.cancelAll()
		pause(time.Second)
		require.Len(t, s.outbox(), 1, "it is not settled while a start may come")
		close(held)
		pause(2 * lateStart)
		require.Equal(t, []string{"start", "cancel"}, temporal.did())
	})
}

// TestCancel_OfAStartWhoseRelayHasDied: the server makes the start late, and no relay notes it.
func TestCancel_OfAStartWhoseRelayHasDied(t *testing.T) {
	cancelling(t, func(s *site, temporal *server) {
		temporal.set(func(f *server) { f.refuses = true })
		s.send(appNamed("here"), "here-a", "Begin")
		pause(100 * time.Millisecond)
		id := s.tasks("here-a")[0].ID
		s.cancelAll()
		pause(10 * time.Second)
		temporal.set(func(f *server) { f.workflows[string(id)] = &fakeWorkflow{status: 1, attempt: 1} })
		pause(2 * lateStart)
		require.Equal(t, []string{"cancel"}, temporal.did())
	})
}

func TestCancel_WhileTemporalIsAway(t *testing.T) {
	cancelling(t, func(s *site, temporal *server) {
		s.send(appNamed("here"), "here-a", "Begin")
		pause(time.Second)
		temporal.set(func(f *server) { f.away = true })
		s.cancelAll()
		pause(5 * time.Minute)
		require.Equal(t, state.StatusCancelling, s.tasks("here-a")[0].Status)
		require.Len(t, s.outbox(), 1)
		temporal.set(func(f *server) { f.away = false })
		pause(2 * relayRetry)
		require.Equal(t, []string{"start", "cancel"}, temporal.did())
		pause(time.Minute) // the workflow of this test ends without a word
	})
}

// TestCancel_ActsAgainOnATaskThatIsStillCancelling: the first had no effect.
func TestCancel_ActsAgainOnATaskThatIsStillCancelling(t *testing.T) {
	cancelling(t, func(s *site, temporal *server) {
		s.send(appNamed("here"), "here-a", "Begin")
		pause(time.Second)
		temporal.each(func(w *fakeWorkflow) { w.attempt = stuckAttempts }) // so that it is not ended, nor seen to be stuck
		s.cancelAll()
		pause(time.Second)
		require.Equal(t, []string{"start", "cancel"}, temporal.did())
		require.Empty(t, s.outbox())
		temporal.each(func(w *fakeWorkflow) { w.attempt = 1 })
		s.cancelAll()
		pause(time.Second)
		require.Equal(t, []string{"cancel"}, temporal.did())
		pause(time.Minute)
	})
}

// TestCancel_OfATaskThatIsNotThereTakesItOffAtOnce.
func TestCancel_OfATaskThatIsNotThereTakesItOffAtOnce(t *testing.T) {
	cancelling(t, func(s *site, temporal *server) {
		s.send(appNamed("here"), "here-a", "Begin")
		pause(time.Second)
		temporal.set(func(f *server) { clear(f.workflows) })
		s.cancelAll()
		pause(time.Millisecond)
	})
}
