package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// lost is a bench with a task that has registered Finally sections, and is then lost.
func lost(t *testing.T, register func(b *bench, id holdfast.TaskID)) (*bench, holdfast.TaskID) {
	t.Helper()
	b := newPolicies(t)
	b.apply(startSingle, "0", "1")
	b.started(0)
	id := b.taskID(0)
	register(b, id)
	return b, id
}

func bySection(b *bench, id holdfast.TaskID) {
	b.t.Helper()
	_, err := b.Apply(b.t.Context(), b.callOf(id, "run", "1"))
	require.NoError(b.t, err)
	_, err = b.Apply(b.t.Context(), b.callOf(id, "run", "2", "increment"))
	require.NoError(b.t, err)
	_, err = b.Apply(b.t.Context(), b.callOf(id, "run", "3", "increment", "startNewest"))
	require.NoError(b.t, err)
	_, err = b.Apply(b.t.Context(), b.callOf(id, "next", "4", "increment")) // the next run of the chain, which is at its first
	require.ErrorIs(b.t, err, state.ErrTaskNotListed)
}

func registered(b *bench, id holdfast.TaskID) {
	b.t.Helper()
	for range 2 {
		require.NoError(b.t, b.TaskRegistered(b.t.Context(), session, id, "first", "run", []string{"increment", "startNewest"}))
	}
}

// dueCalls are the calls that the rows of the outbox ask for.
func (b *bench) dueCalls() (calls []state.Call) {
	b.t.Helper()
	rows, err := b.Outbox(b.t.Context(), 10)
	require.NoError(b.t, err)
	for _, row := range rows {
		require.Equal(b.t, state.KindFinally, row.Kind)
		handler, err := b.app.NamedSection(row.Name)
		require.NoError(b.t, err)
		call, err := state.FinallyCall(row, handler)
		require.NoError(b.t, err)
		calls = append(calls, call)
	}
	return calls
}

func TestTaskLost_PutsItsFinallySectionsIntoTheOutbox(t *testing.T) {
	t.Parallel()
	for name, register := range map[string]func(*bench, holdfast.TaskID){"by a section": bySection, "by themselves": registered} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, id := lost(t, register)
			for range 2 { // it may be repeated
				require.NoError(t, b.TaskLost(t.Context(), session, id, "run", state.EndingLost, "the task was terminated"))
				calls := b.dueCalls()
				require.Len(t, calls, 2)
				require.Equal(t, "startNewest", calls[0].Handler.Name(), "the last one first")
				require.Equal(t, state.Key{
					Owner: string(id), Chain: "first/run", Position: "end.1", Fingerprint: state.Fingerprint("increment", nil),
				}, calls[1].Key)
			}
			require.Equal(t, []string{"single failed"}, b.listed())
		})
	}
}

func TestTaskLost_RunsWhatTheTaskHasNotRun(t *testing.T) {
	t.Parallel()
	b, id := lost(t, registered)
	own := b.callOf(id, "run", "end.1")
	own.Key.Chain, own.Final = "first/run", true
	_, err := b.Apply(t.Context(), own) // and then it was terminated
	require.NoError(t, err)
	require.NoError(t, b.TaskLost(t.Context(), session, id, "run", state.EndingLost, ""))
	_, err = b.Apply(t.Context(), own)
	require.True(t, err == nil, "a repeat is answered")
	call := b.dueCalls()[1]
	applied, err := b.Apply(t.Context(), call)
	require.NoError(t, err)
	require.True(t, applied.Repeat)
	require.JSONEq(t, `{"counter":1}`, string(b.snapshot().States["State"]))
	late := b.callOf(id, "run", "9")
	_, err = b.Apply(t.Context(), late)
	require.ErrorIs(t, err, holdfast.ErrTaskEnded)
}

func TestTaskLost_RunsAFinallySectionOnceAlthoughTheTaskHasEnded(t *testing.T) {
	t.Parallel()
	b, id := lost(t, registered)
	require.NoError(t, b.TaskLost(t.Context(), session, id, "", state.EndingLost, "")) // its run is not known
	call := b.dueCalls()[1]
	for n := range 2 {
		applied, err := b.Apply(t.Context(), call)
		require.NoError(t, err)
		require.Equal(t, n == 1, applied.Repeat)
	}
	require.JSONEq(t, `{"counter":1}`, string(b.snapshot().States["State"]))
	require.Len(t, b.dueCalls(), 1)
}

func TestTaskRegistered_OfAnEndedRunIsRefused(t *testing.T) {
	t.Parallel()
	b, id := lost(t, registered)
	revision := b.snapshot().Position.Revision
	require.NoError(t, b.TaskEnded(t.Context(), session, id, "run", ""))
	require.Equal(t, revision+1, b.snapshot().Position.Revision, "what only the server needs is no change that a page sees")
	require.ErrorIs(t, b.TaskRegistered(t.Context(), session, id, "first", "run", []string{"increment"}), holdfast.ErrTaskEnded)
	require.Empty(t, b.outbox(), "it has run them itself")
}

func TestTaskStuck_ComesAndGoes(t *testing.T) {
	t.Parallel()
	b, id := lost(t, func(*bench, holdfast.TaskID) {})
	stuck := func(reason string, news bool, want string) {
		t.Helper()
		told, err := b.TaskStuck(t.Context(), session, id, reason)
		require.NoError(t, err)
		require.Equal(t, news, told)
		require.Equal(t, []string{"single " + want}, b.listed())
		require.Equal(t, reason, b.snapshot().Tasks[0].Error)
	}
	stuck("its code has changed", true, "stuck")
	stuck("its code has changed", false, "stuck")
	stuck("", true, "running")
	stuck("its code has changed", true, "stuck")
	_, err := b.Apply(t.Context(), b.callOf(id, "run", "1")) // it moves
	require.NoError(t, err)
	require.Equal(t, []string{"single running"}, b.listed())
	require.NoError(t, b.Cancel(t.Context(), session, state.Key{}, id, "by hand"))
	stuck("its code has changed", true, "cancelling")
}
