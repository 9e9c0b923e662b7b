package starter

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// beginMany asks for n tasks in one session.
func (s *site) beginMany(session holdfast.SessionID, n int) {
	s.t.Helper()
	require.NoError(s.t, s.state.Do(s.t.Context(), appNamed("here"), session, func(tx *holdfast.Tx, _ *counted) error {
		for range n {
			tx.Start(work1)
		}
		return nil
	}))
}

func (s *site) tasks(session holdfast.SessionID) []state.Task {
	s.t.Helper()
	tasks, err := s.state.TasksOf(s.t.Context(), session)
	require.NoError(s.t, err)
	return tasks
}

// told are the messages of the session about what failed.
func (s *site) told(session holdfast.SessionID) (told []state.TaskFailed) {
	s.t.Helper()
	reader := s.state.Follow(appNamed("here"), session, &state.Position{})
	defer reader.Close()
	update, err := reader.Next(s.t.Context())
	require.NoError(s.t, err)
	for _, m := range update.Snapshot.Messages {
		var failed state.TaskFailed
		require.NoError(s.t, json.Unmarshal(m.Data, &failed))
		told = append(told, failed)
	}
	return told
}

func TestRelay_EndsARowThatCanNeverSucceed(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{refuses: "Work-bad", says: status.Error(codes.ResourceExhausted, "trying to send message larger than max (5 vs. 4)")}
		one := s.starter(temporal)
		defer s.close(one)
		s.send(appNamed("here"), "here-bad", "Begin")
		synctest.Wait()
		require.Equal(t, state.StatusFailed, s.tasks("here-bad")[0].Status)
		require.Regexp(t, `^Work could not be started: its argument is too large \([a-z2-7]{8}\)$`, s.told("here-bad")[0].Error)
		rows, err := s.state.Outbox(s.t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, rows)
		pause(time.Minute)
		require.Equal(t, 1, temporal.calls())
	})
}

func TestRelay_ReadsPastRowsThatWait(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{refuses: "Work-bad"}
		s.beginMany("here-bad", 3*relayBatch)
		one := s.starter(temporal)
		defer s.close(one)
		synctest.Wait()
		require.Equal(t, 3*relayBatch, temporal.calls())
		s.send(appNamed("here"), "here-good", "Begin")
		synctest.Wait()
		require.Len(t, temporal.ran(), 1, "at once")
		temporal.mu.Lock()
		temporal.refuses = ""
		temporal.mu.Unlock()
		pause(backoffMost)
		require.Len(t, temporal.ran(), 3*relayBatch+1)
	})
}

// slow is a Temporal that takes a second for each start.
type slow struct{ *cut }

func (c slow) ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, w any, args ...any) (client.WorkflowRun, error) {
	<-time.After(time.Second)
	return c.cut.ExecuteWorkflow(ctx, o, w, args...)
}

func TestRelay_ASessionWithManyRowsDelaysNoOther(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := slow{&cut{}}
		one := s.starterOn(temporal)
		defer s.close(one)
		heavy := sessions(relaySessions)
		for _, session := range heavy { // one for each turn that there is
			s.beginMany(session, 100)
		}
		pause(500 * time.Millisecond)
		s.send(appNamed("here"), "here-light", "Begin")
		pause(1500*time.Millisecond + time.Millisecond) // the rest of the turns that run, and its own
		var light int
		for _, id := range temporal.ran() {
			if strings.Contains(id, "-light-") {
				light++
			}
		}
		require.Equal(t, 1, light)
		require.LessOrEqual(t, len(temporal.ran()), 2*relaySessions*turnStarts+1)
		pause(time.Minute)
		require.Len(t, temporal.ran(), 100*relaySessions+1)
	})
}

func TestRelay_OneSessionsErrorEndsNothingOfOthers(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{refuses: "Work-bad", says: serviceerror.NewUnavailable("its shard is away")}
		one := s.starter(temporal)
		defer s.close(one)
		s.send(appNamed("here"), "here-bad", "Begin")
		for _, session := range sessions(10) {
			s.send(appNamed("here"), session, "Begin")
			pause(100 * time.Millisecond)
		}
		require.Len(t, temporal.ran(), 10)
		temporal.mu.Lock()
		temporal.refuses = ""
		temporal.mu.Unlock()
		pause(relayRetry)
		require.Len(t, temporal.ran(), 11)
	})
}

func TestRelay_AsksLittleInAnOutage(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{refuses: "Work", says: serviceerror.NewUnavailable("away")}
		one := s.starter(temporal)
		defer s.close(one)
		for _, session := range sessions(100) {
			s.send(appNamed("here"), session, "Begin")
		}
		pause(time.Second)
		before := temporal.calls()
		pause(time.Minute)
		require.InDelta(t, 60, temporal.calls()-before, 2, "one a second finds out whether it is over")
		temporal.mu.Lock()
		temporal.refuses = ""
		temporal.mu.Unlock()
		pause(2 * relayRetry)
		require.Len(t, temporal.ran(), 100)
	})
}

// lame is a store in which the state of one session cannot be had.
type lame struct {
	state.Driver
	session holdfast.SessionID
}

func (l *lame) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	if claim.Session == l.session {
		return nil, errors.New("its row is damaged")
	}
	return l.Driver.Acquire(ctx, claim)
}

func TestRelay_ASessionThatCannotBeHadHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &lame{Driver: memory.New()}
		service := state.Open(store, state.Options{Logger: slog.New(slog.DiscardHandler)})
		defer func() { require.NoError(t, service.Close()) }()
		s := &site{t: t, state: service}
		for _, session := range []holdfast.SessionID{"here-lame", "here-well"} {
			s.send(appNamed("here"), session, "Ring")
		}
		store.session = "here-lame"
		one := s.starter(&cut{})
		defer s.close(one)
		synctest.Wait()
		rows, err := service.Outbox(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, holdfast.SessionID("here-lame"), rows[0].Session)
	})
}

func TestRelay_RetriesATriggerThatOverruns(t *testing.T) {
	for _, misses := range []int{2, 3} {
		inBubble(t, func(s *site) {
			app := holdfast.NewApp("here", counted{})
			var calls atomic.Int64
			late := func(tx *holdfast.Tx, c *counted) error {
				if calls.Add(1) <= int64(misses) {
					<-tx.Context().Done()
				}
				c.Counter++
				return nil
			}
			app.Events(holdfast.Named("Late", late), holdfast.Named("Add", add))
			one := s.starter(&cut{}, func(o *Options) { o.Apps = []*holdfast.App{app} })
			defer s.close(one)
			require.NoError(t, s.state.Do(s.t.Context(), app, "here-a", func(tx *holdfast.Tx, _ *counted) error {
				tx.Trigger(late)
				tx.Trigger(add)
				return nil
			}))
			pause(time.Minute)
			snapshot, err := s.state.Snapshot(s.t.Context(), app, "here-a")
			require.NoError(t, err)
			require.Equal(t, min(misses+1, overruns), int(calls.Load()))
			if misses < overruns {
				require.JSONEq(t, `{"counter":2}`, string(snapshot.States["counted"]))
				require.Empty(t, s.told("here-a"))
				return
			}
			require.JSONEq(t, `{"counter":1}`, string(snapshot.States["counted"]), "the one behind it runs all the same")
			require.Len(t, s.told("here-a"), 1)
			require.Regexp(t, `^Late took too long \([a-z2-7]{8}\)$`, s.told("here-a")[0].Error)
		})
	}
}
