package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/e2e/fast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/sqlite"
)

// TestATaskStartsAlthoughItsProcessDied commits an event that starts a task where there is no starter: as a process does that dies
// between the two. The next starter starts the task, and one that does not know that starts none.
func TestATaskStartsAlthoughItsProcessDied(t *testing.T) {
	const session, goal = "fast-abandoned", 5
	url := sqliteFile(t)
	driver, err := sqlite.Open(t.Context(), strings.TrimPrefix(url, "sqlite:"), sqlite.Options{})
	require.NoError(t, err)
	service := state.Open(driver, state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	app := fast.App()
	event, err := app.Event("CountOnTo")
	require.NoError(t, err)
	_, err = service.Apply(t.Context(), state.Call{Handler: event, Session: session, Input: []byte("5")})
	require.NoError(t, err)
	snapshot, err := service.Snapshot(t.Context(), app, session)
	require.NoError(t, err)
	require.Equal(t, state.StatusStarting, snapshot.Tasks[0].Status)
	follow := service.Follow(t.Context(), app, session, state.Position{Epoch: snapshot.Epoch, Revision: snapshot.Revision})

	cluster := newCluster(t, url)
	starter := cluster.starter()
	cluster.starter() // both find the row
	cluster.worker()
	api := dial(t, cluster.temporal.Address())
	for len(snapshot.Tasks) > 0 {
		_, err := follow.Next(t.Context())
		require.NoError(t, err)
		snapshot, err = service.Snapshot(t.Context(), app, session)
		require.NoError(t, err)
	}
	require.JSONEq(t, `5`, counterOf(t, snapshot))
	require.NoError(t, api.GetWorkflow(t.Context(), "", "").Get(t.Context(), nil))
	starter.stop()
}
