package state

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// SetClock makes sections be measured by a clock of the test's, before the first of them.
func (s *Service) SetClock(now func() time.Time) { s.now = now }

func TestStopwatch_CountsEachLookAsTwoTicksAtMost(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newStopwatch(5*time.Second, time.Second, now)
	require.Equal(t, 100*time.Millisecond, s.tick)
	pass := func(gap time.Duration) bool {
		now = now.Add(gap)
		return s.pass(now)
	}
	for range 48 {
		require.False(t, pass(s.tick))
	}
	require.False(t, pass(time.Minute/1000), "a late look counts in full")
	require.Equal(t, 4860*time.Millisecond, s.taken)
	s.taken -= 60 * time.Millisecond
	require.False(t, pass(0))
	s.taken -= s.tick
	require.False(t, pass(time.Hour), "a pause counts for little")
	require.Equal(t, 4900*time.Millisecond, s.taken)
	require.True(t, pass(s.tick))
}

func TestStopwatch_LooksOftenWhereTimeIsShort(t *testing.T) {
	t.Parallel()
	require.Equal(t, 10*time.Millisecond, newStopwatch(500*time.Millisecond, time.Second, time.Now()).tick)
	require.Equal(t, 20*time.Millisecond, newStopwatch(time.Minute, 20*time.Millisecond, time.Now()).tick)
	require.Equal(t, time.Millisecond, newStopwatch(1, 1, time.Now()).tick)
}
