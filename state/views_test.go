package state_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// Trick is a state whose View does what the state says.
type Trick struct {
	Does string `json:"does"`
}

// View sleeps for a minute, panics, or is no object.
func (s Trick) View() any {
	switch s.Does {
	case "sleep":
		<-time.After(time.Minute)
	case "panic":
		panic("out of cheese")
	case "list":
		return []int{}
	}
	return s
}

func openTrick(t *testing.T, driver state.Driver) (*state.Service, *holdfast.App) {
	t.Helper()
	app := holdfast.NewApp("test", Trick{})
	app.States(State{})
	require.NoError(t, app.Check())
	service := state.Open(driver, state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	return service, app
}

func does(what string) func(*holdfast.Tx, *Trick) error {
	return func(_ *holdfast.Tx, s *Trick) error { s.Does = what; return nil }
}

func TestView_RunsWithinDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, app := openTrick(t, memory.New())
		began := time.Now()
		free := make(chan time.Duration)
		go func() {
			err := service.Do(t.Context(), app, session, func(_ *holdfast.Tx, s *State) error { s.Counter++; return nil })
			require.NoError(t, err)
			free <- time.Since(began)
		}()
		require.ErrorIs(t, service.Do(t.Context(), app, session, does("sleep")), holdfast.ErrOverrun)
		require.Equal(t, service.Deadline(), time.Since(began))
		require.LessOrEqual(t, <-free, service.Deadline(), "the session is free at the deadline")
		snapshot, err := service.Snapshot(t.Context(), app, session)
		require.NoError(t, err)
		require.JSONEq(t, `{"does":""}`, string(snapshot.States["Trick"]))
		time.Sleep(time.Minute)
	})
}

func TestView_KeepsLockWhileItRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		app := holdfast.NewApp("test", Trick{})
		store := memory.New()
		service := state.Open(store, state.Options{Deadline: 2 * time.Minute, Lease: time.Second})
		require.NoError(t, service.Do(t.Context(), app, session, does("sleep")), "the lease is renewed")
		require.NoError(t, service.Close())
	})
}

func TestView_ThatFailsIsErrorOfItsSection(t *testing.T) {
	t.Parallel()
	service, app := openTrick(t, memory.New())
	var panicked *holdfast.PanicError
	require.ErrorAs(t, service.Do(t.Context(), app, session, does("panic")), &panicked)
	require.Equal(t, "Trick.View", panicked.Function)
	var section *holdfast.SectionError
	require.ErrorAs(t, service.Do(t.Context(), app, session, does("list")), &section)
	require.NoError(t, service.Do(t.Context(), app, session, does("nothing")))
}

func TestView_IsOfChangedStatesAlone(t *testing.T) {
	t.Parallel()
	store := memory.New()
	held, err := store.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Minute})
	require.NoError(t, err)
	require.NoError(t, held.Commit(t.Context(), &state.Commit{
		Epoch: "epoch", Version: 1, KeepChanges: 1, Documents: holdfast.Documents{"Trick": json.RawMessage(`{"does":"panic"}`)},
	}))
	service, app := openTrick(t, store)
	require.NoError(t, service.Do(t.Context(), app, session, func(_ *holdfast.Tx, s *State) error { s.Counter++; return nil }))
}

// Large is a state of about a megabyte.
type Large struct {
	N     int               `json:"n"`
	Items map[string]string `json:"items"`
}

// BenchmarkApply_BesideLargeState is a section on a small state beside a large one of the same session.
func BenchmarkApply_BesideLargeState(b *testing.B) {
	app := holdfast.NewApp("test", State{})
	app.States(Large{Items: map[string]string{}})
	service := state.Open(memory.New(), state.Options{})
	b.Cleanup(func() { _ = service.Close() })
	require.NoError(b, service.Do(context.Background(), app, session, func(_ *holdfast.Tx, l *Large) error {
		for i := range 1000 {
			l.Items[fmt.Sprint(i)] = strings.Repeat("x", 1000)
		}
		return nil
	}))
	for b.Loop() {
		require.NoError(b, service.Do(context.Background(), app, session, func(_ *holdfast.Tx, s *State) error { s.Counter++; return nil }))
	}
}
