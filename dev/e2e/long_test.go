package e2e_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	temporalclient "go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/dev/embedded"
	"github.com/holdfast-run/holdfast/dev/internal/processes"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/worker"
	"github.com/holdfast-run/holdfast/workflows"
)

// manySteps is what the long loop counts with.
type manySteps struct {
	N int `json:"n"`
}

const manyGoal = 100_000

func countMany(_ *holdfast.Tx, s *manySteps) (more bool, err error) {
	s.N++
	return s.N < manyGoal, nil
}

// countLong ends well only if no step was doubled or lost.
func countLong(ctx workflow.Context) error { return workflows.Every(ctx, 0, countMany) }

// TestAHundredThousandSteps counts them inline and looks at the histories of all runs.
func TestAHundredThousandSteps(t *testing.T) {
	server, err := embedded.Start(t.Context(), embedded.Options{})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	c := processes.Dial(t, server.Address())
	quiet := slog.New(slog.DiscardHandler)
	service := state.Open(memory.New(), state.Options{Logger: quiet})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	app := holdfast.NewApp("long", manySteps{})
	app.Sections(countMany)
	app.Tasks(holdfast.Named("Count", countLong))
	w, err := worker.New(c, service, worker.Options{Apps: []*holdfast.App{app}})
	require.NoError(t, err)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)

	in := wire.TaskInput{Session: "long-session", Level: wire.Level, Inline: true}
	run, err := c.ExecuteWorkflow(t.Context(), temporalclient.StartWorkflowOptions{ID: "long", TaskQueue: "holdfast", WorkflowTaskTimeout: 2 * time.Second}, "long.Count", in)
	require.NoError(t, err)
	first := run.GetRunID()
	require.NoError(t, run.Get(t.Context(), nil))
	snapshot, err := service.Snapshot(t.Context(), app, "long-session")
	require.NoError(t, err)
	require.JSONEq(t, `{"n":100000}`, string(snapshot.States["manySteps"]))

	steps, runs, longest := 0, 0, 0
	for id := first; id != ""; runs++ {
		events, sections, next := countEvents(t, c, id)
		require.LessOrEqual(t, events, 10_000, "run %d", runs)
		steps, longest, id = steps+sections, max(longest, events), next
	}
	require.Equal(t, manyGoal, steps, "each step is in the histories once")
	t.Logf("%d runs, the longest history has %d events", runs, longest)
}

// countEvents counts the events of a run, and the markers of local activities among them, without the one that ends the task.
func countEvents(t *testing.T, c temporalclient.Client, run string) (events, sections int, next string) {
	t.Helper()
	history := c.GetWorkflowHistory(t.Context(), "long", run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(t, err)
		events++
		if event.GetEventType() == enums.EVENT_TYPE_MARKER_RECORDED {
			sections++
		}
		next = event.GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
		if event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED {
			sections--
		}
	}
	return events, sections, next
}
