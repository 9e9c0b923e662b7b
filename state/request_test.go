package state_test

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

func newest(workflow.Context, int) error { return nil }
func single(workflow.Context, int) error { return nil }

func startNewest(tx *holdfast.Tx, _ *State, n int) error { tx.Start(newest, n); return nil }
func startSingle(tx *holdfast.Tx, _ *State, n int) error { tx.Start(single, n); return nil }
func ring(*holdfast.Tx, *State, int) error               { return nil }

func triggerAndStart(tx *holdfast.Tx, _ *State) error {
	tx.Trigger(ring, 1)
	tx.Start(single, 2)
	tx.Trigger(ring, 3)
	return nil
}

// newPolicies is a bench with tasks of each concurrency.
func newPolicies(t *testing.T) *bench {
	t.Helper()
	app := holdfast.NewApp("test", State{})
	app.Events(ring)
	app.Sections(startNewest, startSingle, triggerAndStart, increment)
	app.Tasks(
		holdfast.With(newest, holdfast.TaskOptions{Concurrency: holdfast.Supersede}),
		holdfast.With(single, holdfast.TaskOptions{Concurrency: holdfast.SkipIfRunning}),
	)
	require.NoError(t, app.Check())
	b := &bench{Service: state.Open(memory.New(), state.Options{}), t: t, app: app}
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// outbox is what the outbox holds, as "kind name argument".
func (b *bench) outbox() (rows []string) {
	b.t.Helper()
	pending, err := b.Outbox(b.t.Context(), 100)
	require.NoError(b.t, err)
	for _, p := range pending {
		rows = append(rows, fmt.Sprintf("%s %s %s", p.Kind, p.Name, p.Argument))
	}
	return rows
}

// listed are the session's tasks, as "name status".
func (b *bench) listed() (tasks []string) {
	b.t.Helper()
	for _, t := range b.snapshot().Tasks {
		tasks = append(tasks, t.Name+" "+string(t.Status))
	}
	return tasks
}

func (b *bench) taskID(i int) holdfast.TaskID { return b.snapshot().Tasks[i].ID }

func (b *bench) started(i int) {
	b.t.Helper()
	_, err := b.TasksStarted(b.t.Context(), session, b.taskID(i))
	require.NoError(b.t, err)
}

func TestASecondStartIsSkippedWhileOneRuns(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(startSingle, "1", "1")
	b.apply(startSingle, "2", "2")
	require.Equal(t, []string{"start single 1"}, b.outbox())
	b.started(0)
	b.apply(startSingle, "3", "3")
	require.Equal(t, []string{"single running"}, b.listed())
	require.NoError(t, b.TaskEnded(t.Context(), session, b.taskID(0), "run", ""))
	b.apply(startSingle, "4", "4")
	require.Equal(t, []string{"start single 4"}, b.outbox())
}

func TestTheNewestWaitsUntilTheOneItSupersedesHasEnded(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(startNewest, "1", "1")
	b.started(0)
	first := b.taskID(0)
	for n := 2; n <= 4; n++ {
		b.apply(startNewest, fmt.Sprint(n), fmt.Sprint(n))
	}
	require.Equal(t, []string{"newest cancelling", "newest starting"}, b.listed(), "those between are gone")
	require.Equal(t, []string{`cancel newest "superseded by a later one"`}, b.outbox())
	require.NoError(t, b.TaskEnded(t.Context(), session, first, "run", ""))
	require.Equal(t, []string{"start newest 4"}, b.outbox(), "the cancelling is settled, the last one starts")
	require.Equal(t, []string{"newest starting"}, b.listed())
}

func TestWhatASectionAsksForKeepsItsOrder(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	b.apply(triggerAndStart, "1", "")
	require.Equal(t, []string{"trigger ring 1", "start single 2", "trigger ring 3"}, b.outbox())
}

func TestCancelling(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	ctx := t.Context()
	b.apply(startSingle, "1", "1")
	b.apply(startNewest, "2", "2")
	b.started(0)
	b.started(1)
	require.ErrorIs(t, b.Cancel(ctx, session, state.Key{}, "test.single-abc-other", "by hand"), state.ErrNoTask)
	require.ErrorIs(t, b.Cancel(ctx, "test-stranger", state.Key{}, b.taskID(0), "by hand"), state.ErrNoTask, "another session's")
	for range 2 { // a later one takes the place of the one that waits
		require.NoError(t, b.Cancel(ctx, session, state.Key{}, b.taskID(0), "by hand"))
		require.Equal(t, []string{`cancel single "by hand"`}, b.outbox())
	}
	require.NoError(t, b.Cancel(ctx, session, state.Key{}, "", "all of them"))
	require.Equal(t, []string{`cancel single "all of them"`, `cancel newest "all of them"`}, b.outbox())
	require.Equal(t, []string{"single cancelling", "newest cancelling"}, b.listed())
	require.NoError(t, b.Cancel(ctx, "test-stranger", state.Key{}, "", "none there"))
}

func TestFailedTasksStayListedForAWhile(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	for n := range 12 {
		b.apply(startNewest, fmt.Sprint(n), fmt.Sprint(n))
		b.started(len(b.snapshot().Tasks) - 1)
		failed := b.snapshot().Tasks[len(b.snapshot().Tasks)-1]
		require.NoError(t, b.TaskEnded(t.Context(), session, failed.ID, "run", "no luck"))
		tasks := b.snapshot().Tasks
		require.Equal(t, "no luck", tasks[len(tasks)-1].Error)
		require.Len(t, tasks, 1, "a new start of the name takes the failed one off")
	}
	require.NoError(t, b.ForgetFailed(t.Context(), session, "test-other"))
	require.Len(t, b.snapshot().Tasks, 1)
	require.NoError(t, b.ForgetFailed(t.Context(), session, b.taskID(0)))
	require.Empty(t, b.snapshot().Tasks)
}

// forgetful is a driver whose commits are written and whose answers are lost.
type forgetful struct {
	state.Driver
	losing atomic.Bool
}

type forgetfulHeld struct {
	state.Held
	driver *forgetful
}

func (f *forgetful) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	held, err := f.Driver.Acquire(ctx, claim)
	return forgetfulHeld{held, f}, err
}

func (h forgetfulHeld) Commit(ctx context.Context, c *state.Commit) error {
	err := h.Held.Commit(ctx, c)
	if err == nil && h.driver.losing.Swap(false) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// TestAFailedEventIsToldOnce, also when the answer to telling is lost and it is told again, and not when it was applied meanwhile.
func TestAFailedEventIsToldOnce(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	require.NoError(t, b.Close())
	store := &forgetful{Driver: memory.New()}
	b.Service = state.Open(store, state.Options{})
	b.apply(triggerAndStart, "1", "")
	rows, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	revision := b.snapshot().Position.Revision
	store.losing.Store(true)
	require.ErrorIs(t, b.EventFailed(t.Context(), rows[0], "no bell"), io.ErrUnexpectedEOF)
	for range 2 {
		require.NoError(t, b.EventFailed(t.Context(), rows[0], "no bell"))
	}
	require.Equal(t, revision+1, b.snapshot().Position.Revision)
	_, messages, err := store.Load(t.Context(), session)
	require.NoError(t, err)
	require.Len(t, messages, 1)

	handler, err := b.app.Event("ring")
	require.NoError(t, err)
	_, err = b.Apply(t.Context(), state.Call{
		Handler: handler, Session: session, Input: rows[2].Argument, Settles: rows[2].ID,
	})
	require.NoError(t, err)
	require.NoError(t, b.EventFailed(t.Context(), rows[2], "no bell"))
	require.Equal(t, []string{"start single 2"}, b.outbox())
	require.Equal(t, revision+1, b.snapshot().Position.Revision)
}
