package embedded_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/dev/embedded"
)

// nap returns by how much its timer was late, in workflow time.
func nap(ctx workflow.Context, pause time.Duration) (time.Duration, error) {
	begin := workflow.Now(ctx)
	err := workflow.Sleep(ctx, pause)
	return workflow.Now(ctx).Sub(begin) - pause, err
}

func TestAShortTimerFires(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, embedded.Options{}))
	work(t, c)
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, nap, 10*time.Millisecond)
	require.NoError(t, err)
	require.NoError(t, run.Get(t.Context(), nil))
}

// BenchmarkTimer reports by how much a timer is late; an untuned server rounds each up to about a second.
func BenchmarkTimer(b *testing.B) {
	c := dial(b, start(b, embedded.Options{}))
	work(b, c)
	for _, pause := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond} {
		b.Run(pause.String(), func(b *testing.B) {
			var late time.Duration
			for b.Loop() {
				run, err := c.ExecuteWorkflow(b.Context(), client.StartWorkflowOptions{TaskQueue: queue}, nap, pause)
				require.NoError(b, err)
				var once time.Duration
				require.NoError(b, run.Get(b.Context(), &once))
				late += once
			}
			b.ReportMetric(float64(late.Microseconds())/1000/float64(b.N), "ms-late/op")
		})
	}
}

// BenchmarkStart reports how long it takes to start a server in memory with its Web UI, and to stop it.
func BenchmarkStart(b *testing.B) {
	var stops time.Duration
	for b.Loop() {
		s, err := embedded.Start(b.Context(), embedded.Options{UI: true})
		require.NoError(b, err)
		begin := time.Now()
		s.Stop()
		stops += time.Since(begin)
	}
	b.ReportMetric(float64(stops.Milliseconds())/float64(b.N), "ms-stop/op")
}
