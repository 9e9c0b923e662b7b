package worker_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/worker"
	"github.com/holdfast-run/holdfast/workflows"
)

// State is what the apps of these tests hold.
type State struct {
	Counter int `json:"counter"`
}

func add(_ *holdfast.Tx, s *State, n int) error { s.Counter += n; return nil }

// Count is the task of both apps.
func Count(ctx workflow.Context, n int) error { return workflows.DoWith(ctx, add, n) }

func app(name string) *holdfast.App {
	app := holdfast.NewApp(name, State{})
	app.Sections(add)
	app.Tasks(Count)
	return app
}

func open(t *testing.T) *state.Service {
	t.Helper()
	service := state.Open(memory.New(), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	return service
}

// lazy is a client that has not connected yet.
func lazy(t *testing.T) client.Client {
	t.Helper()
	quiet := sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))
	c, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1", Logger: quiet})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestOneWorkerHostsSeveralApps(t *testing.T) {
	t.Parallel()
	service := open(t)
	apps := []*holdfast.App{app("one"), app("two")}
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	for i, name := range []string{"one", "two"} {
		env := suite.NewTestWorkflowEnvironment()
		require.NoError(t, worker.Register(env, service, apps...))
		session := holdfast.SessionID(name + "-abc")
		env.ExecuteWorkflow(name+".Count", wire.TaskInput{Session: string(session), Argument: []byte{'1' + byte(i)}})
		require.NoError(t, env.GetWorkflowError())
		snapshot, err := service.Snapshot(t.Context(), apps[i], session)
		require.NoError(t, err)
		require.JSONEq(t, `{"counter":`+string('1'+rune(i))+`}`, string(snapshot.States["State"]))
	}
}

func TestNewReportsWhatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := worker.New(lazy(t), open(t), worker.Options{})
	require.EqualError(t, err, "worker: there is no app to host")

	wrong := holdfast.NewApp("wrong", State{})
	wrong.Sections(func(int) {})
	_, err = worker.New(lazy(t), open(t), worker.Options{Apps: []*holdfast.App{wrong}})
	require.ErrorContains(t, err, "worker: app wrong: section:")
}

func TestStartReportsAServerThatCannotBeReached(t *testing.T) {
	t.Parallel()
	w, err := worker.New(lazy(t), open(t), worker.Options{Apps: []*holdfast.App{app("one")}})
	require.NoError(t, err)
	require.ErrorContains(t, w.Start(), "start the worker: ")
	w.Stop()
	w.Stop()
}
