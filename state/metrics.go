package state

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
)

// scope names this package's instruments and spans.
const scope = "github.com/holdfast-run/holdfast/state"

// metrics are the service's instruments; nil measures nothing. No label ever holds a session, of which there is no end.
type metrics struct {
	section metric.Float64Histogram
	wait    metric.Float64Histogram
	hits    metric.Int64Counter
	started metric.Int64Counter
	ended   metric.Int64Counter
}

func newMetrics(provider metric.MeterProvider) (*metrics, error) {
	if provider == nil {
		return nil, nil
	}
	meter := telemetry.NewMeter(provider, scope)
	return &metrics{
		section: meter.Seconds("holdfast_section_duration", "Time from having the session's lock to the end of the commit."),
		wait:    meter.Seconds("holdfast_lock_wait", "Time that a call waited for its session's lock."),
		hits:    meter.Counter("holdfast_ledger_hits", "Calls that had been applied before and were answered from the ledger."),
		started: meter.Counter("holdfast_tasks_started", "Tasks whose workflow was started."),
		ended:   meter.Counter("holdfast_tasks_ended", "Tasks that ended."),
	}, meter.Err()
}

// waited measures the wait for a lock.
func (m *metrics) waited(ctx context.Context, session holdfast.SessionID, since time.Time) {
	if m != nil {
		m.wait.Record(ctx, time.Since(since).Seconds(), metric.WithAttributes(attribute.String("app", session.App())))
	}
}

// applied measures a call that had its lock since the time.
func (m *metrics) applied(ctx context.Context, call *Call, outcome string, since time.Time) {
	if m == nil {
		return
	}
	app, section := attribute.String("app", call.Session.App()), attribute.String("section", call.Handler.Name())
	m.section.Record(ctx, time.Since(since).Seconds(), metric.WithAttributes(
		app, section, attribute.String("kind", string(call.kind())), attribute.String("outcome", outcome),
	))
	if outcome == outcomeRepeated {
		m.hits.Add(ctx, 1, metric.WithAttributes(app, section))
	}
}

// committed counts what became of tasks with a commit.
func (m *metrics) committed(ctx context.Context, session holdfast.SessionID, tallies []tally) {
	if m == nil {
		return
	}
	for _, t := range tallies {
		app, task := attribute.String("app", session.App()), attribute.String("task", t.task)
		if t.ended == "" {
			m.started.Add(ctx, 1, metric.WithAttributes(app, task))
		} else {
			m.ended.Add(ctx, 1, metric.WithAttributes(app, task, attribute.String("outcome", string(t.ended))))
		}
	}
}

// tally is a task that was started or, if it says how, has ended.
type tally struct {
	task  string
	ended Ending
}

// What a call came to, as metrics and spans say it.
const (
	outcomeApplied   = "applied"
	outcomeUnchanged = "unchanged"
	outcomeRepeated  = "repeated"
	outcomeRefused   = "refused"
	outcomePanicked  = "panicked"
	outcomeExpired   = "expired"
	outcomeOverrun   = "overrun"
	outcomeLate      = "late"
	outcomeFailed    = "failed"
)

// outcomeOf is what a call came to that ended with the error.
func outcomeOf(err error) string {
	var section *holdfast.SectionError
	var panicked *holdfast.PanicError
	switch {
	case errors.As(err, &panicked):
		return outcomePanicked
	case errors.Is(err, holdfast.ErrOverrun):
		return outcomeOverrun
	case errors.Is(err, holdfast.ErrLockExpired):
		return outcomeExpired
	case errors.As(err, &section), errors.Is(err, holdfast.ErrBadArgument):
		return outcomeRefused
	case errors.Is(err, holdfast.ErrTaskEnded), errors.Is(err, ErrForgotten), errors.Is(err, ErrOtherEpoch), errors.Is(err, ErrTaskNotListed):
		return outcomeLate
	default:
		return outcomeFailed
	}
}
