package embedded_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/dev/embedded"
)

func start(t testing.TB, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func dial(t testing.TB, s *embedded.Server) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: s.Address(), Namespace: s.Namespace(), Logger: quiet{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

func answer(workflow.Context) (int, error) { return 42, nil }

func wait(ctx workflow.Context) error {
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
	return nil
}

// work runs a worker until the test ends or stop is called.
func work(t testing.TB, c client.Client) (stop func()) {
	t.Helper()
	w := worker.New(c, "queue", worker.Options{})
	w.RegisterWorkflow(answer)
	w.RegisterWorkflow(wait)
	w.RegisterWorkflow(nap)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return w.Stop
}

func TestAServerInMemoryRunsWorkflows(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{UI: true, Namespace: "mine"})
	c := dial(t, s)
	work(t, c)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "queue"}, answer)
	require.NoError(t, err)
	var result int
	require.NoError(t, run.Get(t.Context(), &result))
	require.Equal(t, 42, result)

	response, err := http.Get(s.WorkflowsURL())
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	s.Stop() // and again at the end of the test
}

func TestAWorkflowOutlivesTheServerOfAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new", "temporal.db")
	first := start(t, embedded.Options{Database: file})
	c := dial(t, first)
	_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "id", TaskQueue: "queue"}, wait)
	require.NoError(t, err)
	first.Stop()

	c = dial(t, start(t, embedded.Options{Database: file}))
	work(t, c)
	require.NoError(t, c.SignalWorkflow(t.Context(), "id", "", "go", nil))
	require.NoError(t, c.GetWorkflow(t.Context(), "id", "").Get(t.Context(), nil))
}

func TestTwoServersOnOneFileAreRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "temporal.db")
	start(t, embedded.Options{Database: file})
	_, err := embedded.Start(t.Context(), embedded.Options{Database: file})
	require.ErrorIs(t, err, embedded.ErrInUse)
	require.ErrorContains(t, err, file)
}

func TestATakenPortIsRefused(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	_, err = embedded.Start(t.Context(), embedded.Options{Port: port})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	_, err = embedded.Start(t.Context(), embedded.Options{UI: true, UIPort: port})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	_, err := embedded.Start(t.Context(), embedded.Options{Database: t.TempDir()})
	require.Error(t, err)
}

func nap(ctx workflow.Context, pause time.Duration) error { return workflow.Sleep(ctx, pause) }

// BenchmarkSleep shows by how much a timer of 100 ms is late.
func BenchmarkSleep(b *testing.B) {
	c := dial(b, start(b, embedded.Options{}))
	work(b, c)
	const pause = 100 * time.Millisecond
	for b.Loop() {
		run, err := c.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{TaskQueue: "queue"}, nap, pause)
		require.NoError(b, err)
		require.NoError(b, run.Get(context.Background(), nil))
	}
	b.ReportMetric(float64((b.Elapsed()/time.Duration(b.N) - pause).Milliseconds()), "ms-late")
}
