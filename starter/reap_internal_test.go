package starter

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// dies stops a starter without a word of its own about its pages.
func (s *site) dies(one *Starter) {
	s.t.Helper()
	s.close(one)
}

// TestReap_TellsOfADeadStarter within 20 seconds of its death, and removes what it had
// left.
func TestReap_TellsOfADeadStarter(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		here, there := s.starter(temporal), s.starter(temporal)
		defer s.close(there)
		end := s.open(sessions(3), here)
		defer end()
		s.dies(here)
		temporal.said()
		pause(20 * time.Second)
		gone := wire.Heartbeat{Starter: here.presence.id}
		require.Equal(t, []wire.Heartbeat{gone, gone, gone}, temporal.said())
		lapsed, err := s.state.Lapsed(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, lapsed)
	})
}

// TestReap_FinishesWhatADeadStarterWasTelling: its page had left, and Temporal was away.
func TestReap_FinishesWhatADeadStarterWasTelling(t *testing.T) {
	inBubble(t, func(s *site) {
		poor, well := &cut{}, &cut{}
		here, there := s.starter(poor), s.starter(well)
		defer s.close(there)
		end := s.open(sessions(1), here)
		poor.cutOff(true)
		end()
		pause(time.Second)
		require.Empty(t, s.present("here-a"), "it is not present any more")
		s.dies(here)
		well.said()
		pause(20 * time.Second)
		require.Equal(t, []wire.Heartbeat{{Starter: here.presence.id}}, well.said())
	})
}

// TestReap_LeavesAStarterThatComesBack while its departure is signalled: its note stays, and the last
// word is that its page is there.
func TestReap_LeavesAStarterThatComesBack(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		here := s.starter(temporal)
		defer s.close(here)
		defer s.open(sessions(1), here)()
		const back = "back"
		require.NoError(t, s.state.SetPresence(t.Context(), "here-a", back, state.PresenceConnected))
		var once sync.Once
		temporal.signal = func(_ string, beat wire.Heartbeat) error {
			if beat.Starter == back && !beat.Connected {
				once.Do(func() { // it comes back, and says so, before this word has arrived
					_, err := s.state.RenewLease(context.Background(), back)
					require.NoError(t, err)
					require.NoError(t, s.state.SetPresence(context.Background(), "here-a", back, state.PresenceConnected))
				})
			}
			return nil
		}
		temporal.said()
		pause(state.PresenceLease / 2)
		require.Equal(t, []wire.Heartbeat{{Starter: back}, {Starter: back, Connected: true}}, temporal.said())
		require.Contains(t, s.present("here-a"), back)
	})
}

// TestReap_LeavesAppsOfOthers to those who serve them.
func TestReap_LeavesAppsOfOthers(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		for range reapBatch + 1 {
			session := sessions(1)[0] // and many of an app that is served elsewhere
			require.NoError(t, s.state.SetPresence(t.Context(), "there-"+session, "dead"+time.Now().String(), state.PresenceConnected))
			<-time.After(time.Nanosecond)
		}
		one := s.starter(temporal)
		defer s.close(one)
		s.send(appNamed("here"), "here-a", "Begin")
		require.NoError(t, s.state.SetPresence(t.Context(), "here-a", "dead", state.PresenceConnected))
		pause(2 * state.PresenceLease)
		require.Equal(t, []wire.Heartbeat{{Starter: "dead"}}, temporal.said())
		lapsed, err := s.state.Lapsed(t.Context(), 2*reapBatch)
		require.NoError(t, err)
		require.Len(t, lapsed, reapBatch+1)
	})
}

// forgetting is a store of which the starter's lease can lapse while no time passes for
// the starter, as while its machine sleeps.
type forgetting struct {
	*way
	mu    sync.Mutex // protects slept
	slept bool
}

func (f *forgetting) RenewLease(ctx context.Context, starter string, lease time.Duration) (state.Lease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.slept {
		f.slept = false
		if _, err := f.way.RenewLease(ctx, starter, -time.Second); err != nil {
			return state.Lease{}, err
		}
	}
	return f.way.RenewLease(ctx, starter, lease)
}

// TestLease_SaysAgainWhoIsHereAfterALapse that only the store knows of.
func TestLease_SaysAgainWhoIsHereAfterALapse(t *testing.T) {
	inBubble(t, func(s *site) {
		store := &forgetting{way: &way{Driver: s.store}}
		service := state.Open(store, state.Options{})
		defer func() { require.NoError(t, service.Close()) }()
		temporal := &cut{}
		one := s.starter(temporal, func(o *Options) { o.State = service })
		defer s.close(one)
		defer s.open(sessions(3), one)()
		require.NoError(t, s.state.SetPresence(t.Context(), "here-a", one.presence.id, state.PresenceNone)) // by another
		temporal.said()
		store.mu.Lock()
		store.slept = true
		store.mu.Unlock()
		pause(presenceBeat)
		there := wire.Heartbeat{Starter: one.presence.id, Connected: true}
		require.Equal(t, []wire.Heartbeat{there, there, there}, temporal.said())
		require.Equal(t, []string{one.presence.id}, s.present("here-a"))
		one.presence.mu.Lock()
		since := one.presence.lease.since
		one.presence.mu.Unlock()
		require.WithinDuration(t, time.Now(), since, presenceBeat, "and it trusts its lease only after a whole one")
		synctest.Wait()
	})
}
