package starter

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// answers has a server refuse some of its tasks, in the order of their start, and counts
// who was signalled how often.
type answers struct {
	mu     sync.Mutex // protects all
	errs   map[string]error
	counts map[string]int
}

func (a *answers) signal(id string, _ wire.Heartbeat) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts[id]++
	return a.errs[id]
}

// TestSignal_OfOneTaskThatFailsKeepsNoOther from being told: each failure is its task's
// own.
func TestSignal_OfOneTaskThatFailsKeepsNoOther(t *testing.T) {
	inBubble(t, func(s *site) {
		a := &answers{errs: map[string]error{}, counts: map[string]int{}}
		temporal := &cut{hearings: hearings{signal: a.signal}}
		one := s.starter(temporal)
		defer s.close(one)
		for range 4 {
			s.send(appNamed("here"), "here-a", "Begin")
			synctest.Wait()
		}
		ids := temporal.ran()
		a.errs[ids[0]] = serviceerror.NewInvalidArgument("Exceeded workflow execution limit for signal events.")
		a.errs[ids[1]] = serviceerror.NewNotFound("workflow execution already completed")
		a.errs[ids[2]] = serviceerror.NewUnavailable("away")
		one.arrive("here-a")
		pause(10 * time.Second)
		require.Equal(t, 1, a.counts[ids[0]], "refused for good")
		require.Equal(t, 1, a.counts[ids[3]], "told, and not again for the others' sake")
		require.Greater(t, a.counts[ids[2]], 5, "tried again")
		a.mu.Lock()
		delete(a.errs, ids[2])
		clear(a.counts)
		a.mu.Unlock()
		pause(10 * time.Second)
		require.LessOrEqual(t, a.counts[ids[2]], 1, "until it has heard")
		require.Len(t, temporal.said(), 2)
	})
}

// TestSignal_IsSentOnceInAWhileForARestlessPage: a handful in a minute, and the last
// state wins.
func TestSignal_IsSentOnceInAWhileForARestlessPage(t *testing.T) {
	for name, last := range map[string]bool{"it stays": true, "it leaves": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *site) {
				temporal := &cut{}
				one := s.starter(temporal)
				defer s.close(one)
				s.send(appNamed("here"), "here-a", "Begin")
				synctest.Wait()
				leave := one.arrive("here-a")
				synctest.Wait()
				for range 300 {
					leave()
					pause(100 * time.Millisecond)
					leave = one.arrive("here-a")
					pause(100 * time.Millisecond)
				}
				said := temporal.said()
				t.Logf("%d signals in a minute", len(said))
				require.Less(t, len(said), 16)
				require.Less(t, temporal.alone(), time.Second, "an arrival is signalled at once")
				if !last {
					leave()
				}
				pause(flapMost)
				require.Equal(t, last, len(s.present("here-a")) == 1)
				all := slices.Concat(said, temporal.said())
				require.Equal(t, last, all[len(all)-1].Connected)
			})
		})
	}
}

// TestSignal_IsSentAtOnceForAQuietPage, when it comes, leaves and comes back.
func TestSignal_IsSentAtOnceForAQuietPage(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		one := s.starter(temporal)
		defer s.close(one)
		s.send(appNamed("here"), "here-a", "Begin")
		synctest.Wait()
		for range 3 {
			leave := one.arrive("here-a")
			synctest.Wait()
			require.Equal(t, []wire.Heartbeat{{Starter: one.presence.id, Connected: true}}, temporal.said())
			pause(10 * time.Second)
			leave()
			synctest.Wait()
			require.Equal(t, []wire.Heartbeat{{Starter: one.presence.id}}, temporal.said())
			pause(flapMemory + time.Second)
		}
		pause(time.Minute)
		one.presence.mu.Lock()
		defer one.presence.mu.Unlock()
		require.Empty(t, slices.Collect(maps.Keys(one.presence.sessions)), "what has left is forgotten")
	})
}

// TestSignal_ReachesTasksInAnOutageOfTheStore: a page that is back before its grace is
// over keeps its tasks.
func TestSignal_ReachesTasksInAnOutageOfTheStore(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		one, way := s.behind(temporal)
		defer s.close(one)
		s.send(appNamed("here"), "here-a", "Begin")
		synctest.Wait()
		leave := one.arrive("here-a")
		pause(time.Minute)
		way.off.Store(true)
		pause(presenceBeat + time.Second)
		temporal.said()
		leave()
		synctest.Wait()
		require.Equal(t, []wire.Heartbeat{{Starter: one.presence.id}}, temporal.said())
		leave = one.arrive("here-a")
		synctest.Wait()
		require.Equal(t, []wire.Heartbeat{{Starter: one.presence.id, Connected: true}}, temporal.said())
		pause(time.Minute)
		leave()
		synctest.Wait()
		way.off.Store(false)
		pause(2 * presenceRetry)
		require.Empty(t, s.present("here-a"))
	})
}
