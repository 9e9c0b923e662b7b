package embedded_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/dev/embedded"
)

const queue = "queue"

func start(t testing.TB, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func dial(t testing.TB, s *embedded.Server) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{
		HostPort: s.Address(), Namespace: s.Namespace(), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func work(t testing.TB, c client.Client) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(answer)
	w.RegisterWorkflow(wait)
	w.RegisterWorkflow(nap)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
}

func answer(workflow.Context) (int, error) { return 42, nil }

// wait ends with the signal "go".
func wait(ctx workflow.Context) error {
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
	return nil
}

// runs says that the server runs a workflow from its start to its result.
func runs(t *testing.T, s *embedded.Server, o client.StartWorkflowOptions) {
	t.Helper()
	c := dial(t, s)
	work(t, c)
	o.TaskQueue = queue
	run, err := c.ExecuteWorkflow(t.Context(), o, answer)
	require.NoError(t, err)
	var result int
	require.NoError(t, run.Get(t.Context(), &result))
	require.Equal(t, 42, result)
}

func get(t *testing.T, url string) int {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

func TestZeroOptionsAreAServerInMemoryWithoutWebUI(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{})
	require.Equal(t, "default", s.Namespace())
	require.Empty(t, s.UIURL())
	require.Empty(t, s.WorkflowsURL())
	runs(t, s, client.StartWorkflowOptions{})
}

func TestTheWebUIAnswersWhenStartReturns(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{UI: true})
	require.Equal(t, s.UIURL()+"/namespaces/default/workflows/", s.WorkflowsURL())
	require.Equal(t, http.StatusOK, get(t, s.UIURL()+"/namespaces/default/workflows"))
	require.Equal(t, http.StatusOK, get(t, s.WorkflowsURL()+"id"))
	require.Equal(t, http.StatusOK, get(t, s.UIURL()+"/api/v1/namespaces/default"), "it reaches the frontend")
}

func TestANamespaceOfOnesOwn(t *testing.T) {
	t.Parallel()
	runs(t, start(t, embedded.Options{Namespace: "mine"}), client.StartWorkflowOptions{})
}

func TestStopMayBeRepeatedAndEndsTheAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{UI: true})
	s.Stop()
	s.Stop()
	_, err := http.Get(s.UIURL())
	require.Error(t, err)
	_, err = client.Dial(client.Options{HostPort: s.Address(), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.Error(t, err)
}
