package workflows_test

import (
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/golden"
	"github.com/holdfast-run/holdfast/workflows"
)

// histories are all that are kept, by the name of their task.
func histories(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	named := map[string]string{}
	for _, path := range paths {
		named[strings.TrimSuffix(filepath.Base(path), ".json")] = path
	}
	return named
}

// replay runs today's code of an app against a kept history.
func replay(t *testing.T, app *holdfast.App, path string) error {
	t.Helper()
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		Interceptors: []interceptor.WorkerInterceptor{workflows.Interceptor()},
	})
	require.NoError(t, err)
	require.NoError(t, workflows.Register(replayer, app))
	return replayer.ReplayWorkflowHistoryFromJSONFile(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), path)
}

func TestTodaysCodeReplaysTheGoldenHistories(t *testing.T) {
	t.Parallel()
	all := histories(t)
	for name := range golden.Tasks() {
		require.Contains(t, all, name, "every golden task has a history: make golden")
	}
	for name, path := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(t, golden.App(), path))
		})
	}
}

// TestAChangedTaskDoesNotReplay shows that the test above can fail: the task of each history is replaced by one that takes
// another way.
func TestAChangedTaskDoesNotReplay(t *testing.T) {
	t.Parallel()
	for name, path := range histories(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			name := strings.TrimSuffix(name, ".first")
			task, err := golden.App().Task(golden.Tasks()[name])
			require.NoError(t, err)
			app := holdfast.NewApp("golden", golden.State{})
			app.Tasks(holdfast.Named(task.Name(), changed(task.Func())))
			require.ErrorContains(t, replay(t, app, path), "TMPRL1100") // Temporal's code for nondeterminism
		})
	}
}

// changed is a task of the same signature that takes another way than any of the golden ones.
func changed(task any) any {
	typ := reflect.TypeOf(task)
	return reflect.MakeFunc(typ, func(args []reflect.Value) (results []reflect.Value) {
		ctx, _ := reflect.TypeAssert[workflow.Context](args[0])
		_ = workflow.ExecuteChildWorkflow(ctx, "another").Get(ctx, nil) // no golden task does that
		for out := range typ.Outs() {
			results = append(results, reflect.Zero(out))
		}
		return results
	}).Interface()
}
