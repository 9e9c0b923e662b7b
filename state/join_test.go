package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

func (b *bench) join(page state.PageLoad) (epoch string) {
	b.t.Helper()
	epoch, err := b.Join(b.t.Context(), b.app, session, page)
	require.NoError(b.t, err)
	require.NotEmpty(b.t, epoch)
	return epoch
}

// event is an increment that the page sends.
func (b *bench) event(client string, id int64) state.Call {
	b.t.Helper()
	call := b.call(increment, "", "")
	call.Kind, call.Key = state.CallEvent, state.PageKey(client, id)
	return call
}

func greet(_ *holdfast.Tx, s *State) error { s.Counter++; return nil }

// newLoading is a bench that greets each load of a page.
func newLoading(t *testing.T) *bench {
	t.Helper()
	app := holdfast.NewApp("test", State{})
	app.OnLoad(greet)
	require.NoError(t, app.Check())
	b := &bench{Service: state.Open(memory.New(), state.Options{}), t: t, app: app}
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func (b *bench) loaded(client string) state.Call {
	b.t.Helper()
	handler, err := b.app.Handler(greet)
	require.NoError(b.t, err)
	return state.Call{Handler: handler, Session: session, Kind: state.CallLoad, Key: state.LoadKey(client, handler.Name())}
}

func TestPage_IsAppliedOnceAndInOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.join(state.PageLoad{Client: "one"})
	b.join(state.PageLoad{Client: "two"})
	for id := int64(1); id <= 600; id++ {
		if id%100 != 50 { // those are refused, and so are not applied
			require.False(t, b.must(b.event("one", id)))
		}
	}
	for _, id := range []int64{1, 20, 343, 344} {
		b.refused(b.event("one", id), state.ErrForgotten)
	}
	for _, id := range []int64{345, 400, 549, 600} {
		require.True(t, b.must(b.event("one", id)))
	}
	for _, id := range []int64{350, 450, 550} {
		b.refused(b.event("one", id), state.ErrForgotten)
	}
	require.False(t, b.must(b.event("one", 601)))
	require.False(t, b.must(b.event("two", 1)))
	b.refused(b.event("one", 601-256), state.ErrForgotten)
	require.JSONEq(t, `{"counter":596}`, string(b.snapshot().States["State"]))
}

func TestPage_MustJoin(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.refused(b.event("one", 1), state.ErrForgotten)
	epoch := b.join(state.PageLoad{Client: "one"})
	require.Equal(t, epoch, b.snapshot().Position.Epoch)
	require.Equal(t, epoch, b.join(state.PageLoad{Client: "one", Sent: 7}), "again")
	require.False(t, b.must(b.event("one", 1)), "to join again changes nothing")
	b.refused(b.event("two", 1), state.ErrForgotten)
	_, err := b.Join(t.Context(), b.app, "elsewhere-abc", state.PageLoad{Client: "one"})
	require.ErrorContains(t, err, `session "elsewhere-abc" is not one of app test`)
}

func TestPage_OfAnotherEpochIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	epoch := b.join(state.PageLoad{Client: "one"})
	call := b.event("one", 1)
	call.Epoch = "another"
	b.refused(call, state.ErrOtherEpoch)
	call.Epoch = epoch
	require.False(t, b.must(call))
}

// TestPage_ThatWasForgottenSendsNothingAgain: it was away for a day, and the session was not.
func TestPage_ThatWasForgottenSendsNothingAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	epoch := b.join(state.PageLoad{Client: "another"})
	b.join(state.PageLoad{Client: "one", Sent: 5, Loaded: true, Epoch: epoch})
	b.refused(b.event("one", 5), state.ErrForgotten)
	require.False(t, b.must(b.event("one", 6)))
	require.False(t, b.must(b.loaded("one")), "it was no event of the load")
}

func TestPage_LoadsOnce(t *testing.T) {
	t.Parallel()
	b := newLoading(t)
	epoch := b.join(state.PageLoad{Client: "one"})
	require.False(t, b.must(b.loaded("one")))
	require.True(t, b.must(b.loaded("one")))
	b.join(state.PageLoad{Client: "forgotten", Sent: 3, Loaded: true, Epoch: epoch})
	require.True(t, b.must(b.loaded("forgotten")))
	b.join(state.PageLoad{Client: "older", Sent: 3, Loaded: true, Epoch: "an earlier life"})
	require.False(t, b.must(b.loaded("older")), "the session is a new one")
	b.join(state.PageLoad{Client: "hasty", Epoch: epoch})
	require.False(t, b.must(b.loaded("hasty")), "it went before its load was done")
}

// TestCancel_OfAPageIsDoneOnce: sent again it does not hit what was started since.
func TestCancel_OfAPageIsDoneOnce(t *testing.T) {
	t.Parallel()
	b, _ := running(t)
	b.join(state.PageLoad{Client: "one"})
	all := state.PageKey("one", 1)
	require.NoError(t, b.Cancel(t.Context(), session, all, "", "from the page"))
	require.Equal(t, []string{"single cancelling"}, b.listed())
	b.apply(startNewest, "later", "1")
	require.NoError(t, b.Cancel(t.Context(), session, all, "", "from the page"))
	require.Equal(t, []string{"single cancelling", "newest starting"}, b.listed())
	none := state.PageKey("one", 2)
	require.ErrorIs(t, b.Cancel(t.Context(), session, none, "test.single-abc-other", "from the page"), state.ErrNoTask)
	require.False(t, b.must(b.event("one", 3)))
	require.ErrorIs(t, b.Cancel(t.Context(), session, none, b.taskID(1), "from the page"), state.ErrForgotten)
	require.Equal(t, []string{"single cancelling", "newest starting"}, b.listed())
}

// TestTrigger_IsAppliedOnce, also when it is done again a day after.
func TestTrigger_IsAppliedOnce(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(triggerAndStart, "1", "")
	rows, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	call := b.call(increment, "", "")
	call.Settles, call.Kind = rows[0].ID, state.CallTrigger
	require.False(t, b.must(call))
	require.True(t, b.must(call))
	require.NoError(t, b.EventFailed(t.Context(), rows[0], "no bell"))
	require.Equal(t, []string{"start single 2", "trigger ring 3"}, b.outbox())
	require.NoError(t, b.EventFailed(t.Context(), rows[2], "no bell"))
	call.Settles = rows[2].ID
	require.True(t, b.must(call), "it has failed")
}
