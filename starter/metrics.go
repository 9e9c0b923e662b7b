package starter

import (
	"context"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
	"github.com/holdfast-run/holdfast/state"
)

// scope names this package's instruments and spans.
const scope = "github.com/holdfast-run/holdfast/starter"

// metrics are the starter's instruments, and what is to be seen when they are looked at. Nil measures nothing. No label ever holds a
// session, of which there is no end.
type metrics struct {
	sent        metric.Float64Histogram
	connections metric.Int64UpDownCounter
	refused     metric.Int64Counter
	pauses      metric.Int64Counter
	stop        func() // ends the looking

	oldest [lanes]atomic.Int64           // when the oldest waiting row of a lane was written, in Unix nanoseconds; 0: none waits
	tasks  atomic.Pointer[map[count]int] // of the last listing
}

// count is what tasks are counted by.
type count struct {
	app, task string
	status    state.Status
}

func newMetrics(provider metric.MeterProvider) (*metrics, error) {
	if provider == nil {
		return nil, nil
	}
	meter := telemetry.NewMeter(provider, scope)
	m := &metrics{
		sent:        meter.Seconds("holdfast_commit_to_send", "Time from a change's commit until a connected page's socket had taken it."),
		connections: meter.UpDown("holdfast_connections", "Web sockets that are connected to this starter."),
		refused:     meter.Counter("holdfast_heartbeats_refused", "Signals about a page's presence that Temporal refuses for good."),
		pauses:      meter.Counter("holdfast_pauses", "Times that a client had to wait because it, or its address, does too much."),
	}
	age := meter.ObservedSeconds("holdfast_outbox_age", "Age of the oldest row of the outbox that waits for a starter of these apps; 0 if none does.")
	tasks := meter.Observed("holdfast_tasks", "Tasks on the lists of all sessions of these apps, also those of other starters.")
	m.stop = meter.Observe(func(_ context.Context, o metric.Observer) error {
		o.ObserveFloat64(age, m.age(time.Now()))
		m.observeTasks(o, tasks)
		return nil
	}, age, tasks)
	return m, meter.Err()
}

// begin makes the counters of the apps begin at 0, so that the first count shows as an increase.
func (m *metrics) begin(apps []*holdfast.App) {
	if m == nil {
		return
	}
	ctx := context.Background()
	for _, app := range apps {
		name := attribute.String("app", app.Name())
		m.refused.Add(ctx, 0, metric.WithAttributes(name))
		for _, what := range []string{pacedReading, pacedEvent, pacedHandshake} {
			m.pauses.Add(ctx, 0, metric.WithAttributes(name, attribute.String("what", what)))
		}
	}
}

func (m *metrics) close() {
	if m != nil {
		m.stop()
	}
}

// connected counts a connection, or one less.
func (m *metrics) connected(ctx context.Context, app *holdfast.App, by int64) {
	if m != nil {
		m.connections.Add(ctx, by, metric.WithAttributes(attribute.String("app", app.Name())))
	}
}

// heartbeatRefused counts a signal about presence that Temporal refuses.
func (m *metrics) heartbeatRefused(ctx context.Context, app string) {
	if m != nil {
		m.refused.Add(ctx, 1, metric.WithAttributes(attribute.String("app", app)))
	}
}

// What a client has to wait with, as the label of a metric.
const (
	pacedReading   = "reading"
	pacedEvent     = "event"
	pacedHandshake = "handshake"
)

// paced counts a client that has to wait.
func (m *metrics) paced(app *holdfast.App, what string) {
	if m != nil {
		m.pauses.Add(context.Background(), 1, metric.WithAttributes(attribute.String("app", app.Name()), attribute.String("what", what)))
	}
}

// delivered measures a change that was written to a socket which was open since the time. What waited for the page to come back says
// nothing about this program.
func (m *metrics) delivered(ctx context.Context, app *holdfast.App, change *state.Change, open time.Time) {
	if m == nil || change.At.IsZero() || change.At.Before(open) {
		return
	}
	took := max(time.Since(change.At), 0) // the clocks of two machines may differ
	m.sent.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("app", app.Name())))
}

// waiting notes when the oldest row of the outbox was written that waits in a lane; the zero time: none does.
func (m *metrics) waiting(in lane, since time.Time) {
	switch {
	case m == nil:
	case since.IsZero():
		m.oldest[in].Store(0)
	default:
		m.oldest[in].Store(since.UnixNano())
	}
}

func (m *metrics) age(now time.Time) (age float64) {
	for i := range m.oldest {
		if oldest := m.oldest[i].Load(); oldest != 0 {
			age = max(age, now.Sub(time.Unix(0, oldest)).Seconds())
		}
	}
	return age
}

// listed takes over what is on the lists of tasks. What is on none any more is not counted any more.
func (m *metrics) listed(sessions []state.Listed) {
	if m == nil {
		return
	}
	counts := map[count]int{}
	for _, s := range sessions {
		for _, t := range s.Tasks {
			counts[count{s.Session.App(), t.Name, t.Status}]++
		}
	}
	m.tasks.Store(&counts)
}

func (m *metrics) observeTasks(o metric.Observer, gauge metric.Int64Observable) {
	counts := m.tasks.Load()
	if counts == nil {
		return
	}
	for c, n := range *counts {
		o.ObserveInt64(gauge, int64(n), metric.WithAttributes(
			attribute.String("app", c.app), attribute.String("task", c.task), attribute.String("status", string(c.status)),
		))
	}
}
