package starter

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// announced is a Temporal that says when a task of the session "light" is started, and that
// has too much to do for the tasks of the session "heavy".
type announced struct {
	client.Client
	light chan struct{}
}

func (a *announced) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	if strings.Contains(o.ID, "-heavy-") {
		return nil, serviceerror.NewResourceExhausted(0, "too much")
	}
	a.light <- struct{}{}
	return nil, nil //nolint:nilnil // the run is not used
}

// BenchmarkRelay_StartBesideWaitingRows compares the time from an event to the start of its task
// with nothing else in the outbox, and with 1,000 starts of another session that fail again and again.
func BenchmarkRelay_StartBesideWaitingRows(b *testing.B) {
	alone := startLatency(b, 0)
	beside := startLatency(b, 1000)
	b.ReportMetric(float64(alone.Microseconds()), "µs-alone")
	b.ReportMetric(float64(beside.Microseconds()), "µs-beside")
	b.ReportMetric(float64(beside)/float64(alone), "ratio")
}

// startLatency is the median time from an event to its start.
func startLatency(b *testing.B, waiting int) time.Duration {
	b.Helper()
	service := state.Open(memory.New(), state.Options{Logger: slog.New(slog.DiscardHandler)})
	defer func() { require.NoError(b, service.Close()) }()
	app := appNamed("here")
	require.NoError(b, service.Do(b.Context(), app, "here-heavy", func(tx *holdfast.Tx, _ *counted) error {
		for range waiting {
			tx.Start(work1)
		}
		return nil
	}))
	temporal := &announced{light: make(chan struct{})}
	one, err := New(Options{
		State: service, Temporal: temporal, Apps: []*holdfast.App{app},
		SessionKey: []byte(strings.Repeat("k", 32)), Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(b, err)
	one.Start()
	defer func() { require.NoError(b, one.Close(context.Background())) }()
	handler, err := app.Event("Begin")
	require.NoError(b, err)
	took := make([]time.Duration, 0, b.N)
	for range max(b.N, 20) {
		began := time.Now()
		_, err := service.Apply(b.Context(), state.Call{Handler: handler, Session: "here-light"})
		require.NoError(b, err)
		<-temporal.light
		took = append(took, time.Since(began))
	}
	return median(took)
}

func median(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)/2]
}
