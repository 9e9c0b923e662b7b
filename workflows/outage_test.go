package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/workflows"
)

// outage is a driver whose store is away until a moment of the test environment's time.
type outage struct {
	state.Driver
	b     *bench
	until time.Time
}

func (o *outage) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	if o.b.Now().Before(o.until) {
		return nil, errors.New("the store is away")
	}
	return o.Driver.Acquire(ctx, claim)
}

// newOutage is a bench whose store is away for the first while.
func newOutage(t *testing.T, away time.Duration, tasks ...any) *bench {
	t.Helper()
	driver := &outage{Driver: memory.New()}
	b := newBenchOver(t, driver, tasks...)
	driver.b, driver.until = b, b.Now().Add(away)
	b.SetTestTimeout(time.Minute)
	return b
}

// A regular section is retried by the server, without end; the test environment gives up after ten attempts.

func TestInlineTask_OutlivesAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		return workflows.DoWith(ctx, note, "x")
	}
	for _, away := range []time.Duration{75 * time.Second, 10 * time.Minute} {
		t.Run(away.String(), func(t *testing.T) {
			t.Parallel()
			b := newOutage(t, away, holdfast.Named("Task", task))
			require.NoError(t, b.run("Task", wire.TaskInput{Inline: true, NapBelow: time.Second, Level: wire.Level}))
			require.Equal(t, []string{"x", "ended"}, b.state().Log)
		})
	}
}

func TestInlineFinally_OutlivesAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error { workflows.Finally(ctx, ended); return nil }
	b := newOutage(t, 10*time.Minute, holdfast.Named("Task", task))
	require.NoError(t, b.run("Task", wire.TaskInput{Inline: true, Level: wire.Level}))
	require.Equal(t, []string{"ended"}, b.state().Log)
}

func TestInlineTask_IsCancelledWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		for {
			if err := workflows.DoWith(ctx, note, "x"); err != nil {
				return err
			}
		}
	}
	b := newOutage(t, 5*time.Minute, holdfast.Named("Task", task))
	b.RegisterDelayedCallback(b.CancelWorkflow, time.Minute)
	require.ErrorContains(t, b.run("Task", wire.TaskInput{Inline: true, Level: wire.Level}), "canceled")
	require.Equal(t, []string{"x", "ended"}, b.state().Log, "no section begins after the cancellation")
}

// TestInlineTask_EndsNothingThatAnotherWorkerGoesOnWith: a worker that was away repeats an inline call that the ledger has
// forgotten.
func TestInlineTask_EndsNothingThatAnotherWorkerGoesOnWith(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		return workflows.DoWith(ctx, note, "x")
	}
	b := newBench(t, holdfast.Named("Task", task))
	w := b.watchWays()
	b.OnActivity("test.note", mockAny, mockAny).Return(nil, temporal.NewNonRetryableApplicationError("forgotten", wire.ErrorForgotten, nil))
	require.ErrorContains(t, b.run("Task", wire.TaskInput{Inline: true, Level: wire.Level}), "forgotten")
	require.Empty(t, w.regular)
	require.NotContains(t, w.local, "test.ended")
	require.NotContains(t, w.local, wire.TaskEnded)
}
