package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/e2e/fast"
	"github.com/holdfast-run/holdfast/dev/internal/processes"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/sqlite"
)

// TestATaskStartsAlthoughItsProcessDied commits an event that starts a task where there is no starter: as a process does that dies
// between the two. The task starts all the same, and once.
func TestATaskStartsAlthoughItsProcessDied(t *testing.T) {
	const session, goal = "fast-abandoned", 5
	url := processes.SQLiteFile(t)
	driver, err := sqlite.Open(t.Context(), strings.TrimPrefix(url, "sqlite:"), sqlite.Options{})
	require.NoError(t, err)
	service := state.Open(driver, state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	app := fast.App()
	event, err := app.Event("CountOnTo")
	require.NoError(t, err)
	_, err = service.Apply(t.Context(), state.Call{Handler: event, Session: session, Input: fmt.Append(nil, goal)})
	require.NoError(t, err)
	reader := service.Follow(app, session, nil)
	defer reader.Close()
	update, err := reader.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, state.StatusStarting, update.Snapshot.Tasks[0].Status)
	id := string(update.Snapshot.Tasks[0].ID)

	cluster := newCluster(t, url)
	cluster.Starter()
	cluster.Starter() // both find it in the outbox
	cluster.Worker()
	for {
		update, err := reader.Next(t.Context())
		require.NoError(t, err)
		if c := update.Change; c.Tasks != nil && len(*c.Tasks) == 0 {
			break
		}
	}
	snapshot, err := service.Snapshot(t.Context(), app, session)
	require.NoError(t, err)
	require.JSONEq(t, fmt.Sprintf(`{"begun":[],"counter":%d,"done":true,"ended":[],"goal":%d}`, goal, goal), string(snapshot.States["State"]))
	first, err := cluster.Client().DescribeWorkflowExecution(t.Context(), id, "")
	require.NoError(t, err)
	info := first.GetWorkflowExecutionInfo()
	require.Equal(t, info.GetFirstRunId(), info.GetExecution().GetRunId(), "it was started once")
}
