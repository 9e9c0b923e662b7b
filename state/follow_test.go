package state_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func (b *bench) follow(after *state.Position) *state.Reader {
	reader := b.Follow(b.app, session, after)
	b.t.Cleanup(reader.Close)
	return reader
}

func next(t *testing.T, r *state.Reader) state.Update {
	t.Helper()
	update, err := r.Next(t.Context())
	require.NoError(t, err)
	return update
}

func TestAReaderBeginsWithASnapshotAndGetsEveryChange(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(increment, "", "")
	reader := b.follow(nil)
	snapshot := next(t, reader).Snapshot
	require.JSONEq(t, `{"counter":1}`, string(snapshot.States["State"]))
	require.JSONEq(t, `{"text":""}`, string(snapshot.States["Other"]), "a state that was never written shows its initial value")
	for i := range int64(200) { // more than a batch
		b.apply(increment, "", "")
		if i%2 == 0 {
			continue
		}
		for j := i - 1; j <= i; j++ {
			change := next(t, reader).Change
			require.Equal(t, snapshot.Position.Revision+1+j, change.Revision)
			require.JSONEq(t, fmt.Sprintf(`{"counter":%d}`, 2+j), string(change.States["State"]))
		}
	}
}

func TestWhatIsNotVisibleMakesNoChange(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(increment, "", "")
	before := b.snapshot().Position
	b.apply(setSecret, "1", "5")
	b.apply(add, "2", "0")
	require.Equal(t, before, b.snapshot().Position)
	reader := b.follow(&before)
	b.apply(increment, "", "")
	require.Equal(t, before.Revision+1, next(t, reader).Change.Revision, "revisions stay consecutive")
}

func TestOneSectionIsOneChange(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(increment, "", "")
	reader := b.follow(nil)
	next(t, reader)
	require.NoError(t, b.do(func(tx *holdfast.Tx, s *State) error {
		s.Counter = 5
		holdfast.Get[Other](tx).Text = "x"
		tx.Emit("toast", "y")
		tx.Start(task)
		return nil
	}))
	change := next(t, reader).Change
	require.Len(t, change.States, 2)
	require.Len(t, change.Messages, 1)
	require.Len(t, *change.Tasks, 1)
}

func TestAReaderResumesWhereItWas(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(increment, "", "")
	at := b.snapshot().Position
	b.apply(increment, "", "")
	b.apply(say, "", `"hello"`)
	reader := b.follow(&at)
	require.Equal(t, at.Revision+1, next(t, reader).Change.Revision)
	change := next(t, reader).Change
	require.JSONEq(t, `"hello"`, string(change.Messages[0].Data))
}

func TestAReaderBeyondTheLogGetsASnapshotWithWhatWasSaidMeanwhile(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{KeepChanges: 3})
	b.apply(say, "", `"before"`)
	at := b.snapshot().Position
	b.apply(say, "", `"meanwhile"`)
	for range 5 {
		b.apply(increment, "", "")
	}
	snapshot := next(t, b.follow(&at)).Snapshot
	require.NotNil(t, snapshot, "the log no longer reaches back")
	require.JSONEq(t, `{"counter":7}`, string(snapshot.States["State"]))
	require.Len(t, snapshot.Messages, 1)
	require.JSONEq(t, `"meanwhile"`, string(snapshot.Messages[0].Data))

	require.Empty(t, next(t, b.follow(nil)).Snapshot.Messages, "a new reader is not told old news")
}

func TestAPositionOfAnotherLifeMeansNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(increment, "", "")
	at := b.snapshot().Position
	for _, after := range []state.Position{{Epoch: "another", Revision: 1}, {Epoch: at.Epoch, Revision: 99}} {
		require.NotNil(t, next(t, b.follow(&after)).Snapshot)
	}
}

func TestAReaderMayBeThereBeforeTheSession(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	reader := b.follow(nil)
	require.JSONEq(t, `{"counter":0}`, string(next(t, reader).Snapshot.States["State"]))
	b.apply(say, "", `"first"`)
	snapshot := next(t, reader).Snapshot
	require.JSONEq(t, `{"counter":1}`, string(snapshot.States["State"]))
	require.Len(t, snapshot.Messages, 1, "what the first section said is not lost")
	b.apply(increment, "", "")
	require.Equal(t, int64(2), next(t, reader).Change.Revision)
}

func TestASessionExpiresUnlessItIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, state.Options{})
		b.apply(increment, "", "")
		for range 5 {
			time.Sleep(30 * time.Minute)
			require.NoError(t, b.Touch(t.Context(), session, ""))
		}
		require.NotZero(t, b.snapshot().Position)
		time.Sleep(2 * time.Hour)
		require.Zero(t, b.snapshot().Position)

		b.apply(startTwo, "", "")
		time.Sleep(2 * time.Hour)
		require.Len(t, b.snapshot().Tasks, 2, "a task keeps its session")
	})
}
