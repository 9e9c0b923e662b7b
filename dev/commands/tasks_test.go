package commands_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/cmd/command"
	"github.com/holdfast-run/holdfast/dev/embedded"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// TestTheDoctorFindsWhatARestoredBackupLeaves: a task that only the state knows, and one that only Temporal knows.
func TestTheDoctorFindsWhatARestoredBackupLeaves(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	s := newSetting(t, server.Address())
	listed := listOne(t, strings.TrimPrefix(s.environ[2], "HOLDFAST_STATE_URL="))
	c := dial(t, server.Address())
	_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "fast.Count-unlisted", TaskQueue: "nobody",
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword(wire.SearchApp).ValueSet("fast")),
	}, "fast.Count")
	require.NoError(t, err)
	found(t, server.Address(), `HoldfastApp="fast" AND ExecutionStatus="Running"`)

	out, err := s.run("doctor")
	require.NoError(t, err, out)
	require.Contains(t, out, "ok     tasks       1 listed, and each runs", "both are too young to be wrong")
	later := newSetting(t, server.Address())
	later.environ, later.now = s.environ, func() time.Time { return time.Now().Add(2 * time.Minute) }
	out, err = later.run("doctor")
	require.ErrorContains(t, err, "1 of the checks failed")
	require.Contains(t, out, "WRONG  tasks       1 listed tasks do not run: "+listed+"; 1 workflows run that no session lists: fast.Count-unlisted")
}

// listOne puts a task on a session's list that has been started, as far as the state knows.
func listOne(t *testing.T, url string) string {
	t.Helper()
	driver, err := command.OpenDriver(t.Context(), url, nil)
	require.NoError(t, err)
	service := state.Open(driver, state.Options{})
	defer func() { require.NoError(t, service.Close()) }()
	app := apps()[0]
	event, err := app.Event("CountTo")
	require.NoError(t, err)
	session := holdfast.SessionID("fast-abc")
	_, err = service.Apply(t.Context(), state.Call{Handler: event, Session: session, Input: []byte("1")})
	require.NoError(t, err)
	pending, err := service.Outbox(t.Context(), 1)
	require.NoError(t, err)
	_, err = service.TasksStarted(t.Context(), session, pending[0].Task)
	require.NoError(t, err)
	return string(pending[0].Task)
}
