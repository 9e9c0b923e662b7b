package state_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// running is a bench with one task that runs.
func running(t *testing.T) (*bench, holdfast.TaskID) {
	t.Helper()
	b := newPolicies(t)
	b.apply(startSingle, "0", "1")
	b.started(0)
	return b, b.taskID(0)
}

// of makes an increment the call numbered seq of a run of the task.
func (b *bench) of(id holdfast.TaskID, run string, seq int64) state.Call {
	b.t.Helper()
	call := b.call(increment, "", "")
	call.Task, call.Run = id, run
	call.Key = state.Key{Owner: string(id), Chain: "chain", Position: strconv.FormatInt(seq, 10), Seq: seq}
	return call
}

// must applies a call and reports whether it was a repeat.
func (b *bench) must(call state.Call) (repeat bool) {
	b.t.Helper()
	applied, err := b.Apply(b.t.Context(), call)
	require.NoError(b.t, err)
	return applied.Repeat
}

// refused makes a call that must not run.
func (b *bench) refused(call state.Call, want error) {
	b.t.Helper()
	before := b.snapshot().Position
	_, err := b.Apply(b.t.Context(), call)
	require.ErrorIs(b.t, err, want)
	require.Equal(b.t, before, b.snapshot().Position)
}

func (b *bench) ended(id holdfast.TaskID, run string) {
	b.t.Helper()
	require.NoError(b.t, b.TaskEnded(b.t.Context(), session, id, run, ""))
}

func TestLedger_RefusesWhatItHasForgotten(t *testing.T) {
	t.Parallel()
	b, id := running(t)
	for seq := int64(1); seq <= 6; seq++ {
		call := b.of(id, "run", seq)
		call.Key.Forget = seq - 3
		require.False(t, b.must(call))
	}
	for seq := int64(1); seq <= 3; seq++ {
		b.refused(b.of(id, "run", seq), state.ErrForgotten)
	}
	for seq := int64(4); seq <= 6; seq++ {
		require.True(t, b.must(b.of(id, "run", seq)))
	}
	b.refused(b.of(id, "run", 2), state.ErrForgotten)
	unnumbered := b.of(id, "run", 0)
	require.False(t, b.must(unnumbered))
	require.True(t, b.must(unnumbered))
	require.False(t, b.must(b.of(id, "run", 7)))
}

// TestLedger_TakesCallsOutOfOrder: coroutines of a task ask side by side.
func TestLedger_TakesCallsOutOfOrder(t *testing.T) {
	t.Parallel()
	b, id := running(t)
	for _, seq := range []int64{3, 1, 2, 5, 4} {
		require.False(t, b.must(b.of(id, "run", seq)))
	}
	late := b.of(id, "run", 6)
	late.Key.Forget = 2
	require.False(t, b.must(late))
	require.True(t, b.must(b.of(id, "run", 3)))
}

func TestTask_ThatHasEndedWritesNoMore(t *testing.T) {
	t.Parallel()
	b, id := running(t)
	b.must(b.of(id, "run", 1))
	b.ended(id, "run")
	b.refused(b.of(id, "run", 2), holdfast.ErrTaskEnded)
	step := b.of(id, "run", 0)
	step.Key, step.Kind = state.Key{}, state.CallStep
	b.refused(step, holdfast.ErrTaskEnded)
	another, err := b.app.NamedTask("single")
	require.NoError(t, err)
	require.ErrorIs(t, b.Request(t.Context(), b.app, b.of(id, "run", 3), holdfast.Request{Task: another}), holdfast.ErrTaskEnded)
	require.Empty(t, b.listed())
	require.True(t, b.must(b.of(id, "run", 1)), "what was applied is still answered")
}

func TestTask_ThatWasResetIsLetIn(t *testing.T) {
	t.Parallel()
	b, id := running(t)
	b.must(b.of(id, "first", 1))
	require.NoError(t, b.TaskEnded(t.Context(), session, id, "first", "no luck"))
	require.Equal(t, []string{"single failed"}, b.listed())
	b.refused(b.of(id, "reset", 2), state.ErrTaskNotListed)
	known := b.of(id, "reset", 2)
	known.Relist = true
	require.False(t, b.must(known))
	require.Equal(t, []string{"single running"}, b.listed())
	require.False(t, b.must(b.of(id, "reset", 3)), "it is known now")
	b.refused(b.of(id, "first", 4), holdfast.ErrTaskEnded)
	b.ended(id, "first") // a word that comes late
	require.Equal(t, []string{"single running"}, b.listed())
	b.ended(id, "reset")
	require.Empty(t, b.listed())
}

// TestTask_HasOneRunAtATime: an unknown old run is not taken for a new one.
func TestTask_HasOneRunAtATime(t *testing.T) {
	t.Parallel()
	b, id := running(t)
	b.must(b.of(id, "second", 1))
	b.refused(b.of(id, "first", 2), state.ErrTaskNotListed)
	next := b.of(id, "third", 2)
	next.Relist = true
	b.must(next)
	b.refused(b.of(id, "second", 3), holdfast.ErrTaskEnded)
	require.Equal(t, []string{"single running"}, b.listed())
}

func TestTask_CleansUpAlone(t *testing.T) {
	t.Parallel()
	b, id := running(t)
	b.must(b.of(id, "run", 1))
	final := b.of(id, "run", 2)
	final.Final = true
	b.must(final)
	b.refused(b.of(id, "run", 3), holdfast.ErrTaskEnded)
	final = b.of(id, "run", 4)
	final.Final = true
	require.False(t, b.must(final))
}

func TestTask_OfNoListIsAskedFor(t *testing.T) {
	t.Parallel()
	b, _ := running(t)
	id := holdfast.TaskID("test.single-abc-unknown")
	b.refused(b.of(id, "run", 1), state.ErrTaskNotListed)
	stranger := b.of("test.single-stranger-x", "run", 1)
	require.False(t, b.must(stranger), "another session's task is none of this one's")
	require.Len(t, b.listed(), 1)
}

func TestTask_ThatIsBeingCancelledReportsNoMore(t *testing.T) {
	t.Parallel()
	b, id := running(t)
	step := b.of(id, "run", 0)
	step.Key, step.Kind = state.Key{}, state.CallStep
	require.False(t, b.must(step))
	require.NoError(t, b.Cancel(t.Context(), session, state.Key{}, id, "by hand"))
	b.refused(step, holdfast.ErrTaskEnded)
	require.False(t, b.must(b.of(id, "run", 1)), "its sections go on until it ends")
}

func TestTask_CancelledBeforeItRanNeverRuns(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(startNewest, "1", "1")
	b.started(0)
	b.apply(startNewest, "2", "2")
	waiting := b.taskID(1)
	require.NoError(t, b.Cancel(t.Context(), session, state.Key{}, waiting, "by hand"))
	require.Equal(t, []string{"newest cancelling"}, b.listed())
	call := b.of(waiting, "any", 1)
	call.Relist = true
	b.refused(call, holdfast.ErrTaskEnded)
}

// TestTask_GoesOnAfterALateWordOfARunBefore: the run before the reset was unknown until its end is reported.
func TestTask_GoesOnAfterALateWordOfARunBefore(t *testing.T) {
	t.Parallel()
	b, id := running(t)
	b.must(b.of(id, "reset", 1))
	b.ended(id, "first")
	b.refused(b.of(id, "reset", 2), state.ErrTaskNotListed) // the activity asks Temporal and comes back
	known := b.of(id, "reset", 2)
	known.Relist = true
	require.False(t, b.must(known))
	require.Equal(t, []string{"single running"}, b.listed())
	b.refused(b.of(id, "first", 3), holdfast.ErrTaskEnded)
	b.ended(id, "first") // once more
	require.False(t, b.must(b.of(id, "reset", 3)))
}
