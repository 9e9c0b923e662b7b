package telemetry

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"
)

// Meter makes instruments and gathers what is wrong with them; they work, or do nothing, all the same.
type Meter struct {
	metric.Meter
	errs []error
}

// NewMeter returns the meter of a package.
func NewMeter(provider metric.MeterProvider, name string) *Meter {
	return &Meter{Meter: provider.Meter(name)}
}

// Err is what was wrong with instruments.
func (m *Meter) Err() error {
	if len(m.errs) == 0 {
		return nil
	}
	return fmt.Errorf("make instruments: %w", errors.Join(m.errs...))
}

// Seconds makes a histogram of durations, whose buckets are [Buckets].
func (m *Meter) Seconds(name, about string) metric.Float64Histogram {
	h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(about), metric.WithExplicitBucketBoundaries(Buckets()...))
	m.note(err)
	return h
}

// Counter makes a counter.
func (m *Meter) Counter(name, about string) metric.Int64Counter {
	c, err := m.Int64Counter(name, metric.WithDescription(about))
	m.note(err)
	return c
}

// UpDown makes a number that goes up and down.
func (m *Meter) UpDown(name, about string) metric.Int64UpDownCounter {
	c, err := m.Int64UpDownCounter(name, metric.WithDescription(about))
	m.note(err)
	return c
}

// Observed makes a number that is looked at when it is asked for.
func (m *Meter) Observed(name, about string) metric.Int64ObservableGauge {
	g, err := m.Int64ObservableGauge(name, metric.WithDescription(about))
	m.note(err)
	return g
}

// ObservedSeconds makes a duration that is looked at when it is asked for.
func (m *Meter) ObservedSeconds(name, about string) metric.Float64ObservableGauge {
	g, err := m.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(about))
	m.note(err)
	return g
}

// Observe has f called when the instruments are looked at, until the returned function is called.
func (m *Meter) Observe(f metric.Callback, instruments ...metric.Observable) (stop func()) {
	registration, err := m.RegisterCallback(f, instruments...)
	m.note(err)
	if registration == nil {
		return func() {}
	}
	return func() { _ = registration.Unregister() } // fails only for one that was never registered
}

func (m *Meter) note(err error) {
	if err != nil {
		m.errs = append(m.errs, err)
	}
}

// Buckets are the upper bounds of the buckets of durations, in seconds: from 0.1 ms, which a section in memory takes, to 10 s,
// which is past every deadline.
func Buckets() []float64 {
	return []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
}
