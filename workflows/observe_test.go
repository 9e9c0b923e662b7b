package workflows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

func TestWhatATaskLogsNamesItsSessionAndItself(t *testing.T) {
	t.Parallel()
	var took time.Duration
	var cause error
	b := newBench(t, holdfast.Named("Idle", idle(&took, &cause)))
	var log bytes.Buffer
	b.log = slog.NewJSONHandler(&log, nil)
	b.again()
	require.Error(t, b.run("Idle", attended()))
	var record map[string]any
	for line := range bytes.Lines(log.Bytes()) {
		if bytes.Contains(line, []byte(`"the task is cancelled"`)) {
			require.NoError(t, json.Unmarshal(line, &record))
		}
	}
	require.Equal(t, []any{"test", string(session), "default-test-workflow-id"}, []any{record["app"], record["session"], record["task"]})
}

func TestATaskSaysWhetherItWasCancelled(t *testing.T) {
	t.Parallel()
	for cancelled, task := range map[bool]func(workflow.Context) error{
		true:  func(ctx workflow.Context) error { return workflows.Sleep(ctx, time.Hour) },
		false: func(ctx workflow.Context) error { return workflows.Do(ctx, refuse) },
	} {
		b := newBench(t, holdfast.Named("Task", task))
		var said *wire.TaskEndedInput
		b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, args encodedValues) {
			if info.ActivityType.Name == wire.TaskEnded {
				said = &wire.TaskEndedInput{}
				require.NoError(t, args.Get(said))
			}
		})
		b.RegisterDelayedCallback(b.CancelWorkflow, time.Minute)
		require.Error(t, b.run("Task", wire.TaskInput{}))
		require.Equal(t, cancelled, said.Cancelled)
		require.Equal(t, !cancelled, said.Failure != "")
	}
}
