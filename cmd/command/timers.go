package command

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	// doctorWorkflow is the type of the workflow that measures, and what its ids begin with.
	doctorWorkflow = "holdfast.Doctor"
	// A server that rounds timers up to the second does so to each of these; one that does not is done at once.
	timersMeasured = 5
	timerMeasured  = 150 * time.Millisecond
)

// measureTimers returns by how much a timer of the server is late, as a median, the dispatch of what follows it included.
func measureTimers(ctx context.Context, c client.Client) (time.Duration, error) {
	const patience = 30 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	id := doctorWorkflow + "-" + uuid.NewString()
	w := sdkworker.New(c, id, sdkworker.Options{DisableRegistrationAliasing: true})
	w.RegisterWorkflowWithOptions(sleepAndTell, workflow.RegisterOptions{Name: doctorWorkflow})
	if err := w.Start(); err != nil {
		return 0, fmt.Errorf("start a worker for the timers: %w", err)
	}
	defer w.Stop()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: id, WorkflowExecutionTimeout: patience, StaticSummary: "measures the timers of the server",
	}, doctorWorkflow)
	if err != nil {
		return 0, fmt.Errorf("start the workflow that measures the timers: %w", err)
	}
	var late []time.Duration
	if err := run.Get(ctx, &late); err != nil {
		return 0, fmt.Errorf("measure the timers: %w", err)
	}
	slices.Sort(late)
	return late[len(late)/2], nil
}

// sleepAndTell sleeps and returns by how much each sleep was too long. The time of a workflow is that of its turn, as the server has it.
func sleepAndTell(ctx workflow.Context) ([]time.Duration, error) {
	var late []time.Duration
	for range timersMeasured {
		began := workflow.Now(ctx)
		if err := workflow.Sleep(ctx, timerMeasured); err != nil {
			return nil, err //nolint:wrapcheck // the workflow's own cancellation
		}
		late = append(late, workflow.Now(ctx).Sub(began)-timerMeasured)
	}
	return late, nil
}

// napToFit is the starter.nap_below that fits timers so late: a sleep of that length is then no more than half wrong. It is in tenths of
// a second and at least the default.
func napToFit(late time.Duration) time.Duration {
	const grain = 100 * time.Millisecond
	return max(grain, (2*late + grain - 1).Truncate(grain))
}
