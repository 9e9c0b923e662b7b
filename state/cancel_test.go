package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// callOf is a call of a section by a run of a task.
func (b *bench) callOf(id holdfast.TaskID, run, position string, finally ...string) state.Call {
	b.t.Helper()
	call := b.call(increment, position, "")
	call.Task, call.Run, call.Finally = id, run, finally
	call.Key.Owner, call.Key.Chain = string(id), "first"
	return call
}

func TestCancel_StrikesOutATaskThatHasNotStarted(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(startSingle, "1", "1")
	id := b.taskID(0)
	require.NoError(t, b.Cancel(t.Context(), session, state.Key{}, id, "by hand"))
	require.Empty(t, b.listed())
	require.Equal(t, []string{`cancel single "by hand"`}, b.outbox(), "its start is gone; one that is under way is cancelled")
	require.ErrorIs(t, b.Cancel(t.Context(), session, state.Key{}, id, "again"), state.ErrNoTask)

	unlisted, err := b.TasksStarted(t.Context(), session, id) // a relay had begun to start it
	require.NoError(t, err)
	require.Equal(t, []holdfast.TaskID{id}, unlisted)
	for _, relist := range []bool{false, true} {
		call := b.callOf(id, "run", "1")
		call.Relist = relist
		_, err = b.Apply(t.Context(), call)
		require.ErrorIs(t, err, holdfast.ErrTaskEnded)
	}
	require.JSONEq(t, `{"counter":0}`, string(b.snapshot().States["State"]))
	require.Empty(t, b.listed())
}

func TestCancel_OfATaskWhoseSectionRanDoesNotStrikeItOut(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(startSingle, "1", "1")
	id := b.taskID(0)
	call := b.callOf(id, "run", "1") // before its relay could note that it was started
	_, err := b.Apply(t.Context(), call)
	require.NoError(t, err)
	require.Equal(t, []string{"single running"}, b.listed())
	require.Empty(t, b.outbox())
	require.NoError(t, b.Cancel(t.Context(), session, state.Key{}, id, "by hand"))
	require.Equal(t, []string{"single cancelling"}, b.listed())
	_, err = b.Apply(t.Context(), b.callOf(id, "run", "2"))
	require.NoError(t, err, "it may end in good order")
}

func TestCancel_ActsAgain(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(startSingle, "1", "1")
	b.started(0)
	id := b.taskID(0)
	row := func() state.Pending {
		rows, err := b.Outbox(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		return rows[0]
	}
	require.NoError(t, b.Cancel(t.Context(), session, state.Key{}, id, "by hand"))
	first := row()
	revision := b.snapshot().Position.Revision
	require.NoError(t, b.Cancel(t.Context(), session, state.Key{}, id, "again"))
	second := row()
	require.NotEqual(t, first.ID, second.ID)
	require.Equal(t, revision, b.snapshot().Position.Revision, "a page sees nothing new")
	require.NoError(t, b.Settle(t.Context(), session, first.ID)) // by a relay that had begun with the first
	require.Equal(t, second, row())
	require.NoError(t, b.TaskEnded(t.Context(), session, id, "run", ""))
	require.Empty(t, b.outbox())
}

func TestSupersede_StrikesOutATaskThatHasNotStarted(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(startNewest, "1", "1")
	b.apply(startNewest, "2", "2")
	require.Equal(t, []string{"newest starting"}, b.listed())
	require.Equal(t, []string{`cancel newest "superseded by a later one"`, "start newest 2"}, b.outbox())
}
