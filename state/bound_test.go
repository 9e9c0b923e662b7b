package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

func bound(workflow.Context) error { return nil }
func free(workflow.Context) error  { return nil }

func startBoth(tx *holdfast.Tx, _ *State) error { tx.Start(bound); tx.Start(free); return nil }

// TestTask_KeepsThePolicyItWasAskedForWith, on the list and in the outbox.
func TestTask_KeepsThePolicyItWasAskedForWith(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("test", State{})
	app.Sections(startBoth, increment)
	app.Tasks(bound, holdfast.With(free, holdfast.TaskOptions{OnDisconnect: holdfast.ContinueOnDisconnect}))
	b := &bench{Service: state.Open(memory.New(), state.Options{}), t: t, app: app}
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	b.apply(startBoth, "1", "")
	rows, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	for i, want := range []bool{true, false} {
		require.Equal(t, want, rows[i].Bound, "the row of the outbox")
		require.Equal(t, want, b.snapshot().Tasks[i].Bound, "the row of the list")
	}
	for _, want := range []bool{true, false} { // reset after it had ended, a task comes back with its policy
		id := b.taskID(0)
		require.NoError(t, b.TaskEnded(t.Context(), session, id, "run", ""))
		call := b.call(increment, "", "")
		call.Task, call.Run, call.Relist = id, "reset", true
		_, err := b.Apply(t.Context(), call)
		require.NoError(t, err)
		tasks := b.snapshot().Tasks
		require.Equal(t, want, tasks[len(tasks)-1].Bound, "a task that is listed again")
	}
}
