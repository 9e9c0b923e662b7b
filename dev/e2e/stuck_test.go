package e2e_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	temporalclient "go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/cmd/command"
	"github.com/holdfast-run/holdfast/dev/embedded"
	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/worker"
	"github.com/holdfast-run/holdfast/workflows"
)

// State is that of an app whose task changes from one program to the next.
type State struct {
	Counter int   `json:"counter"` // up with each turn
	Done    bool  `json:"done"`
	Ended   []int `json:"ended"` // one for each time that Finally ran
}

func turn(_ *holdfast.Tx, s *State) (more bool, err error) { s.Counter++; return true, nil }
func cleanUp(_ *holdfast.Tx, s *State) error {
	s.Done, s.Ended = true, append(s.Ended, s.Counter)
	return nil
}

// workBefore and workAfter are the same task before and after a change that does not fit.
func workBefore(ctx workflow.Context) error {
	workflows.Finally(ctx, cleanUp)
	return workflows.Every(ctx, 200*time.Millisecond, turn)
}

func workAfter(ctx workflow.Context) error {
	if err := workflows.Sleep(ctx, time.Hour); err != nil {
		return err
	}
	return workBefore(ctx)
}

func beginWork(tx *holdfast.Tx, s *State) error {
	s.Done = false
	tx.Start(workBefore)
	return nil
}

// changing is an app, its starter, and the worker of one program or the other.
type changing struct {
	t       *testing.T
	client  temporalclient.Client
	service *state.Service
	app     *holdfast.App
	worker  *worker.Worker
	server
}

func changingApp(work any) *holdfast.App {
	app := holdfast.NewApp("changing", State{})
	app.Sections(turn, cleanUp)
	app.Tasks(holdfast.Named("Work", work))
	return app
}

func newChanging(t *testing.T) *changing {
	t.Helper()
	temporal, err := embedded.Start(t.Context(), embedded.Options{})
	require.NoError(t, err)
	t.Cleanup(temporal.Stop)
	quiet := slog.New(slog.DiscardHandler)
	c := &changing{t: t, app: changingApp(workBefore)}
	c.app.Events(holdfast.Named("Begin", beginWork))
	c.client, err = temporalclient.DialContext(t.Context(), temporalclient.Options{
		HostPort: temporal.Address(), Namespace: temporal.Namespace(), Logger: command.SDKLogger(quiet),
	})
	require.NoError(t, err)
	t.Cleanup(c.client.Close)
	c.service = state.Open(memory.New(), state.Options{Logger: quiet})
	t.Cleanup(func() { require.NoError(t, c.service.Close()) })
	s, err := starter.New(starter.Options{
		State: c.service, Temporal: c.client, Namespace: temporal.Namespace(), Apps: []*holdfast.App{c.app},
		SessionKey: []byte(strings.Repeat("k", 32)), Logger: quiet,
	})
	require.NoError(t, err)
	s.Start()
	pages := httptest.NewServer(s)
	t.Cleanup(func() {
		require.NoError(t, s.Close(context.Background()))
		pages.Close()
	})
	c.server = server(pages.URL)
	t.Cleanup(func() { c.worker.Stop() })
	return c
}

// run runs the worker of a program in place of the one before.
func (c *changing) run(work any) {
	c.t.Helper()
	if c.worker != nil {
		c.worker.Stop()
		sdkworker.PurgeStickyWorkflowCache() // which workers of one process share
	}
	var err error
	c.worker, err = worker.New(c.client, c.service, worker.Options{Apps: []*holdfast.App{changingApp(work)}})
	require.NoError(c.t, err)
	require.NoError(c.t, c.worker.Start())
}

// begun is a page with a task that has made a turn.
func (c *changing) begun(page *client) (id string) {
	before := page.counter()
	page.send("Begin", nil)
	page.until(func() bool { return page.counter() > before && page.status() == "running" })
	return page.taskID()
}

// TestATaskThatDoesNotFitItsCodeIsStuck: it is listed so, goes on with code that fits, and ends when it is cancelled, with what it had left.
func TestATaskThatDoesNotFitItsCodeIsStuck(t *testing.T) {
	t.Parallel()
	c := newChanging(t)
	c.run(workBefore)
	page := newClient(t, c, "changing")
	page.reconnect()
	page.until(func() bool { return page.known })
	id := c.begun(page)

	c.run(workAfter)
	page.until(func() bool { return page.status() == "stuck" })
	require.Contains(t, string(page.tasks[0]), "its code has changed and does not fit what it has done so far")
	c.run(workBefore)
	stood := page.counter()
	page.until(func() bool { return page.status() == "running" && page.counter() > stood })

	c.run(workAfter)
	page.until(func() bool { return page.status() == "stuck" })
	page.send("holdfast.cancel", id)
	page.until(func() bool { return page.done && len(page.tasks) == 0 })
	requireStatus(t, c.client, id, enums.WORKFLOW_EXECUTION_STATUS_TERMINATED)
	require.Len(t, page.ended, 1)
}

// TestATaskThatIsLostLeavesNothingBehind: it is terminated, and its Finally section runs all the same, once.
func TestATaskThatIsLostLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	c := newChanging(t)
	c.run(workBefore)
	page := newClient(t, c, "changing")
	page.reconnect()
	page.until(func() bool { return page.known })
	id := c.begun(page)
	require.NoError(t, c.client.TerminateWorkflow(t.Context(), id, "", "by hand"))
	page.until(func() bool { return page.done && page.status() == "failed" })
	require.Len(t, page.ended, 1)

	id = c.begun(page) // and one that ends in good order runs it itself
	page.send("holdfast.cancel", id)
	page.until(func() bool { return page.done && len(page.tasks) == 0 })
	requireStatus(t, c.client, id, enums.WORKFLOW_EXECUTION_STATUS_CANCELED)
	require.Len(t, page.ended, 2)
}

// TestATaskIsCancelledThatNoWorkerHasTaken: its page sees it cancelling until a worker is there.
func TestATaskIsCancelledThatNoWorkerHasTaken(t *testing.T) {
	t.Parallel()
	c := newChanging(t)
	page := newClient(t, c, "changing")
	page.reconnect()
	page.until(func() bool { return page.known })
	page.send("Begin", nil)
	page.until(func() bool { return page.status() == "running" })
	id := page.taskID()
	page.send("holdfast.cancel", id)
	page.until(func() bool { return page.status() == "cancelling" })
	c.run(workBefore)
	page.until(func() bool { return len(page.tasks) == 0 })
	requireStatus(t, c.client, id, enums.WORKFLOW_EXECUTION_STATUS_CANCELED)
}

func requireStatus(t *testing.T, api temporalclient.Client, id string, want enums.WorkflowExecutionStatus) {
	t.Helper()
	require.Eventually(t, func() bool {
		description, err := api.DescribeWorkflowExecution(t.Context(), id, "")
		return err == nil && description.GetWorkflowExecutionInfo().GetStatus() == want
	}, time.Minute, 100*time.Millisecond)
}
