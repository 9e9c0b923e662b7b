package starter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// way is one starter's way to the store, which can be cut.
type way struct {
	state.Driver
	off atomic.Bool
}

var errCut = errors.New("the way to the store is cut")

func (w *way) err() error {
	if w.off.Load() {
		return errCut
	}
	return nil
}

func (w *way) RenewLease(ctx context.Context, starter string, lease time.Duration) (state.Lease, error) {
	if err := w.err(); err != nil {
		return state.Lease{}, err
	}
	return w.Driver.RenewLease(ctx, starter, lease)
}

func (w *way) SetPresence(ctx context.Context, session holdfast.SessionID, starter string, is state.PresenceState) error {
	if err := w.err(); err != nil {
		return err
	}
	return w.Driver.SetPresence(ctx, session, starter, is)
}

func (w *way) Presence(ctx context.Context, session holdfast.SessionID) ([]state.Presence, error) {
	if err := w.err(); err != nil {
		return nil, err
	}
	return w.Driver.Presence(ctx, session)
}

func (w *way) Lapsed(ctx context.Context, limit int) ([]state.Presence, error) {
	if err := w.err(); err != nil {
		return nil, err
	}
	return w.Driver.Lapsed(ctx, limit)
}

func (w *way) Load(ctx context.Context, session holdfast.SessionID) (*state.Record, []state.Message, error) {
	if err := w.err(); err != nil {
		return nil, nil, err
	}
	return w.Driver.Load(ctx, session)
}

func (w *way) Outbox(ctx context.Context, limit int) ([]state.Pending, error) {
	if err := w.err(); err != nil {
		return nil, err
	}
	return w.Driver.Outbox(ctx, limit)
}

func (w *way) Listed(ctx context.Context) ([]state.Listed, error) {
	if err := w.err(); err != nil {
		return nil, err
	}
	return w.Driver.Listed(ctx)
}

func (*way) Close() error { return nil } // others are on the store

// behind is a starter with a way of its own to the store.
func (s *site) behind(temporal *cut) (*Starter, *way) {
	s.t.Helper()
	w := &way{Driver: s.store}
	service := state.Open(w, state.Options{Logger: slog.New(slog.DiscardHandler)})
	one := s.starter(temporal, func(o *Options) { o.State = service })
	s.t.Cleanup(func() { _ = service.Close() })
	return one, w
}

// tab is a page as its client keeps it: it stays with a starter until that ends the
// connection, and then tries one after the other, one a second. The returned function
// closes it.
func tab(session holdfast.SessionID, starters ...*Starter) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			if one := starters[n%len(starters)]; !one.presence.refuses() {
				here, away := context.WithCancel(ctx)
				leave := one.presence.arrive(session, func(error) { away() })
				<-here.Done()
				away()
				leave()
			}
			wait(ctx, time.Second)
		}
	}()
	return func() { cancel(); <-done }
}

// open opens a page of each session, with a task, and returns when all tasks have heard
// of it.
func (s *site) open(sessions []holdfast.SessionID, starters ...*Starter) (end func()) {
	s.t.Helper()
	var ends []func()
	for _, session := range sessions {
		s.send(appNamed("here"), session, "Begin")
		synctest.Wait()
		ends = append(ends, tab(session, starters...))
	}
	pause(2 * state.PresenceLease) // and all trust their leases
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

const leastGrace = time.Second

// TestPartition_OfOneStarterAndTheStore: its pages go to the other one, and their tasks
// go on.
func TestPartition_OfOneStarterAndTheStore(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		here, way := s.behind(temporal)
		there, _ := s.behind(temporal)
		defer s.close(here, there)
		defer s.open(sessions(20), here, there)()
		require.Equal(t, []string{here.presence.id}, s.present("here-a"))
		way.off.Store(true)
		pause(state.PresenceLease)
		require.Equal(t, []string{there.presence.id}, s.present("here-a"), "before the lease has ended, or just then")
		require.True(t, here.presence.refuses())
		pause(10 * time.Minute)
		way.off.Store(false)
		pause(time.Minute)
		require.False(t, here.presence.refuses(), "it accepts pages again")
		require.Less(t, temporal.alone(), leastGrace)
		require.Equal(t, []string{there.presence.id}, s.present("here-a"))
	})
}

// TestPartition_OfTheStoreAndAll: the one that comes back declares none dead
// first, nor while the pages come back.
func TestPartition_OfTheStoreAndAll(t *testing.T) {
	for name, outage := range map[string]time.Duration{
		"as long as half a lease": state.PresenceLease / 2, "a bit longer than a lease": state.PresenceLease + time.Second, "long": 10 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *site) {
				temporal := &cut{}
				here, first := s.behind(temporal)
				there, second := s.behind(temporal)
				defer s.close(here, there)
				defer s.open(sessions(10), here, there)()
				defer s.open(sessions(20)[10:], there, here)()
				first.off.Store(true)
				second.off.Store(true)
				pause(outage)
				first.off.Store(false)
				pause(2 * time.Second)
				second.off.Store(false)
				pause(time.Minute)
				require.Less(t, temporal.alone(), leastGrace)
				require.Len(t, s.present("here-a"), 1)
			})
		})
	}
}

// TestPartition_OfTheOnlyStarterAndTheStore: it keeps its pages, and tells the tasks that
// it knows of.
func TestPartition_OfTheOnlyStarterAndTheStore(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		one, way := s.behind(temporal)
		defer s.close(one)
		defer s.open(sessions(20), one)()
		way.off.Store(true)
		pause(time.Minute)
		temporal.said()
		leave := one.presence.arrive("here-a", func(error) { t.Error("a page was sent away") })
		pause(10 * time.Minute)
		require.False(t, one.presence.refuses())
		require.GreaterOrEqual(t, len(temporal.said()), 20*9, "a beat a minute for each task")
		way.off.Store(false)
		pause(time.Minute)
		leave()
		require.Zero(t, temporal.alone())
		require.Equal(t, []string{one.presence.id}, s.present("here-a"))
	})
}

// TestPartition_OfAStarterAndTemporal: its pages stay, and the departure of one is signalled
// when Temporal is back.
func TestPartition_OfAStarterAndTemporal(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal, well := &cut{}, &cut{}
		here, _ := s.behind(temporal)
		there, _ := s.behind(well)
		defer s.close(here, there)
		end := s.open(sessions(2), here)
		temporal.cutOff(true)
		pause(10 * time.Minute)
		require.Empty(t, well.said(), "the other one says nothing in its name")
		require.Len(t, s.present("here-a"), 1)
		end()
		pause(time.Minute)
		require.Empty(t, s.present("here-a"))
		temporal.said()
		temporal.cutOff(false)
		pause(presenceRetry + 10*time.Second) // the calls that are under way fail first
		require.Equal(t, []wire.Heartbeat{{Starter: here.presence.id}, {Starter: here.presence.id}}, temporal.said())
	})
}

// TestSocket_IsRefusedWithoutAStore where another starter may have one.
func TestSocket_IsRefusedWithoutAStore(t *testing.T) {
	inBubble(t, func(s *site) {
		one := s.starter(&cut{})
		defer s.close(one)
		synctest.Wait()
		one.presence.mu.Lock()
		one.presence.lease.left = true
		one.presence.mu.Unlock()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/here/socket", http.NoBody)
		request.Header.Set("Sec-WebSocket-Protocol", subprotocol)
		answer := httptest.NewRecorder()
		one.ServeHTTP(answer, request)
		require.Equal(t, http.StatusServiceUnavailable, answer.Code)
		require.Equal(t, "1", answer.Header().Get("Retry-After"))
		ended := make(chan error, 1)
		one.presence.arrive("here-a", func(err error) { ended <- err })()
		require.ErrorIs(t, <-ended, errStoreAway, "one that had been accepted just before")
	})
}
