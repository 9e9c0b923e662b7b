package state_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func TestASectionsTasksWaitInTheOutboxAndAreListed(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	changed := b.OutboxChanged()
	b.apply(startTwo, "1", "")
	<-changed

	outbox, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, outbox, 2)
	require.Equal(t, "task", outbox[0].Name)
	require.Nil(t, outbox[0].Argument)
	require.JSONEq(t, `"x"`, string(outbox[1].Argument))

	tasks := b.snapshot().Tasks
	require.Len(t, tasks, 2)
	for i, listed := range tasks {
		require.Equal(t, outbox[i].Task, listed.ID)
		require.Equal(t, state.StatusStarting, listed.Status)
		require.True(t, strings.HasPrefix(string(listed.ID), "test."+listed.Name+"-abc-"), "the id %s tells what it is", listed.ID)
	}

	require.True(t, b.apply(startTwo, "1", "").Repeat)
	outbox, err = b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, outbox, 2, "a repeat starts nothing")
}

func TestATaskGoesThroughItsLife(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(startTwo, "1", "")
	id := b.snapshot().Tasks[0].ID

	for range 2 { // each step may be repeated
		unlisted, err := b.TasksStarted(t.Context(), session, id)
		require.NoError(t, err)
		require.Empty(t, unlisted)
		require.Equal(t, state.StatusRunning, b.snapshot().Tasks[0].Status)
	}
	outbox, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, outbox, 1)

	revision := b.snapshot().Position.Revision
	for range 2 {
		require.NoError(t, b.TaskEnded(t.Context(), session, id, "run", ""))
		require.Len(t, b.snapshot().Tasks, 1)
		require.Equal(t, revision+1, b.snapshot().Position.Revision)
	}
}

func TestATaskThatEndedBeforeItsStartWasNotedIsNotListedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(startTwo, "1", "")
	id := b.snapshot().Tasks[0].ID
	require.NoError(t, b.TaskEnded(t.Context(), session, id, "run", ""))
	unlisted, err := b.TasksStarted(t.Context(), session, id)
	require.NoError(t, err)
	require.Equal(t, []holdfast.TaskID{id}, unlisted)
	require.Len(t, b.snapshot().Tasks, 1)
}

func TestAFailureIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(startTwo, "1", "")
	reader := b.Follow(b.app, session, &state.Position{})
	defer reader.Close()
	first, err := reader.Next(t.Context())
	require.NoError(t, err)
	id := first.Snapshot.Tasks[0].ID
	require.NoError(t, b.TaskEnded(t.Context(), session, id, "run", "no more seats"))
	update, err := reader.Next(t.Context())
	require.NoError(t, err)
	require.Len(t, update.Change.Messages, 1)
	require.Equal(t, state.MessageTaskFailed, update.Change.Messages[0].Name)
	var told state.TaskFailed
	require.NoError(t, json.Unmarshal(update.Change.Messages[0].Data, &told))
	require.Equal(t, state.TaskFailed{Task: id, Name: "task", Error: "no more seats"}, told)
}

func TestAnUnknownTaskIsNoTrouble(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	require.NoError(t, b.TaskEnded(t.Context(), "test-new", holdfast.TaskID("nobody"), "run", "x"))
	snapshot, err := b.Snapshot(t.Context(), b.app, "test-new")
	require.NoError(t, err)
	require.Zero(t, snapshot.Position, "no session was made for it")
}
