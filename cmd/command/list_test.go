package command

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func job(workflow.Context) error { return nil }

// withTask gives a test a state with one task, which is stuck.
func withTask(t *testing.T) (app *holdfast.App, environ []string, id string, view func() []state.Pending) {
	t.Helper()
	url := "sqlite:" + filepath.Join(t.TempDir(), "state.db")
	driver, err := OpenDriver(t.Context(), url, nil)
	require.NoError(t, err)
	service := state.Open(driver, state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	app = holdfast.NewApp("test", nothing{})
	app.Tasks(job)
	session := holdfast.SessionID("test-abc")
	require.NoError(t, service.Do(t.Context(), app, session, func(tx *holdfast.Tx, _ *nothing) error { tx.Start(job); return nil }))
	rows := func() []state.Pending {
		rows, err := service.Outbox(context.WithoutCancel(t.Context()), 10)
		require.NoError(t, err)
		return rows
	}
	task := rows()[0].Task
	_, err = service.TasksStarted(t.Context(), session, task)
	require.NoError(t, err)
	_, err = service.TaskStuck(t.Context(), session, task, "its code has changed")
	require.NoError(t, err)
	return app, []string{"HOLDFAST_STATE_URL=" + url}, string(task), rows
}

func TestTasks_AreListedAndCancelledFromTheCommandLine(t *testing.T) {
	t.Parallel()
	app, environ, id, outbox := withTask(t)
	command := func(args ...string) (string, error) {
		var out bytes.Buffer
		p := &Program{Name: "test", Apps: []*holdfast.App{app}, Environ: environ, Stdout: &out, Stderr: &out}
		err := p.Run(t.Context(), args)
		return out.String(), err
	}
	out, err := command("tasks")
	require.NoError(t, err)
	require.Regexp(t, `TASK +STATUS +FOR +ERROR\n`+id+` +stuck +\d+s +its code has changed\n`, out)

	out, err = command("cancel", id)
	require.NoError(t, err)
	require.Equal(t, "cancelling "+id+"\n", out)
	require.Equal(t, state.KindCancel, outbox()[0].Kind)
	require.JSONEq(t, `"cancelled from the command line"`, string(outbox()[0].Argument))
	out, err = command("tasks")
	require.NoError(t, err)
	require.Contains(t, out, "cancelling")

	_, err = command("cancel", "test.job-abc-nobody")
	require.ErrorIs(t, err, state.ErrNoTask)
	_, err = command("cancel", "nothing")
	require.ErrorContains(t, err, `"nothing" is not the id of a task`)
	_, err = command("cancel")
	require.ErrorContains(t, err, "requires at least 1 arg")
}

func TestDoctor_SaysWhichTasksAreStuck(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"a (its code has changed)", "b (late)"}, stuckOf(map[string]*state.Task{
		"b": {Status: state.StatusCancelling, Error: "late"}, "a": {Status: state.StatusStuck, Error: "its code has changed"},
		"c": {Status: state.StatusRunning}, "d": {Status: state.StatusCancelling},
	}))
}
