package starter_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

const hostileSessions = 20

// obliging is a Temporal that does whatever it is asked.
type obliging struct{ *temporal }

func (obliging) ExecuteWorkflow(context.Context, client.StartWorkflowOptions, any, ...any) (client.WorkflowRun, error) {
	return nil, nil //nolint:nilnil // the run is not used
}
func (obliging) SignalWorkflow(context.Context, string, string, string, any) error { return nil }
func (obliging) CancelWorkflowWithOptions(context.Context, client.CancelWorkflowOptions) error {
	return nil
}

// hostileFrames are what a hostile client sends once it is greeted, one connection for each: most end it.
func hostileFrames() map[string]string {
	event := func(name, arg string) string {
		return `{"type":"event","id":1,"name":"` + name + `","arg":` + arg + `}`
	}
	return map[string]string{
		"type":      `{"type":` + huge(1<<20) + `}`,
		"name":      event(strings.Repeat("é", 1<<18), "1"),
		"cancel":    event("holdfast.cancel", huge(1<<20)),
		"markup":    event("Begin", `"`+strings.Repeat("<", 900<<10)+`"`),
		"a task":    event("Begin", `"`+strings.Repeat("<", 8<<10)+`"`),
		"deep":      deep(`{"type":"event","id":1,"name":"Keep","arg":%s}`, 10_000),
		"sent anew": event("Increment", "null"),
	}
}

// hostile is a client that connects, sends what costs most, sends it again, and leaves without a word. It returns at the first error.
func hostile(ctx context.Context, url, first, frame string) error {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{"holdfast.v1"}})
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	defer conn.CloseNow() //nolint:errcheck // it leaves without a word
	conn.SetReadLimit(1 << 20)
	for _, text := range []string{first, frame, frame} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	for { // until it is answered, or sent away
		_, answer, err := conn.Read(ctx)
		if err != nil || strings.HasPrefix(string(answer), `{"type":"ack"`) {
			return err
		}
	}
}

// hostileBench is a starter at work on an obliging Temporal.
func hostileBench(tb testing.TB) *bench {
	tb.Helper()
	service := state.Open(memory.New(), state.Options{Logger: slog.New(slog.DiscardHandler)})
	tb.Cleanup(func() { require.NoError(tb, service.Close()) })
	b := benchOn(tb, newApp(), service, newTemporal(), func(o *starter.Options) { o.Temporal = obliging{o.Temporal.(*temporal)} })
	b.Start()
	return b
}

// TestStarter_KeepsNothingOfHostileSessions is not parallel: it counts what runs in the process.
func TestStarter_KeepsNothingOfHostileSessions(t *testing.T) { //nolint:paralleltest // see above
	b := hostileBench(t)
	before := goroutines("starter.(*connection)")
	var all sync.WaitGroup
	for name, frame := range hostileFrames() {
		hello := `{"type":"hello","new":true,"client":"hostile0"}`
		for _, first := range []string{hello, `{"type":` + huge(60<<10) + `}`, `{"type":` + huge(128<<10) + `}`} {
			all.Go(func() { t.Log(name, hostile(t.Context(), b.server.URL+"/test/socket", first, frame)) })
		}
	}
	all.Wait()
	require.Eventually(t, func() bool { return goroutines("starter.(*connection)") == before }, time.Minute, 50*time.Millisecond, "connections")
	require.Eventually(t, func() bool {
		rows, err := b.state.Outbox(t.Context(), 100)
		return err == nil && len(rows) == 0
	}, time.Minute, 50*time.Millisecond, "rows of the outbox")
	p := b.settled()
	p.event(2, "Increment", nil)
	require.Nil(t, p.want("ack").Error)
}

// goroutines counts those of the process whose stack has the function.
func goroutines(function string) int {
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
	n := 0
	for stack := range strings.SplitSeq(stacks.String(), "\n\n") {
		if strings.Contains(stack, function) {
			n++
		}
	}
	return n
}

// BenchmarkEvent_BesideHostileSessions measures the median time of an event without hostile sessions and beside twenty of them, in
// turns, and gives the ratio of the medians of all turns. The hostile ones are a process of their own.
func BenchmarkEvent_BesideHostileSessions(b *testing.B) {
	bench := hostileBench(b)
	p := bench.settled()
	id := int64(1)
	measure := func() time.Duration {
		const events = 200
		took := make([]time.Duration, events)
		pace := time.NewTicker(10 * time.Millisecond) // so that a turn is long enough for all that the others do
		defer pace.Stop()
		for i := range took {
			<-pace.C
			id++
			began := time.Now()
			p.event(id, "Increment", nil)
			p.want("ack")
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		return took[events/2]
	}
	var quiet, beside []time.Duration
	var all int64
	for b.Loop() {
		quiet = append(quiet, measure())
		attackers := attack(b, bench.server.URL)
		<-attackers.started
		beside = append(beside, measure())
		attackers.stop()
		all += attackers.rounds.Load()
	}
	slices.Sort(quiet)
	slices.Sort(beside)
	middle := b.N / 2
	b.ReportMetric(float64(quiet[middle].Microseconds()), "µs-quiet")
	b.ReportMetric(float64(beside[middle].Microseconds()), "µs-beside")
	b.ReportMetric(float64(beside[middle])/float64(quiet[middle]), "ratio")
	b.ReportMetric(float64(all)/float64(b.N), "attacks")
}
