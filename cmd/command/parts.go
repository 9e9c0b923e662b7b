package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/state"
)

// parts are what worker and starter have in common.
type parts struct {
	log       *slog.Logger
	operator  *operator
	telemetry *Telemetry
	address   string // of Temporal
	namespace string
	temporal  client.Client
	state     *state.Service
}

// open connects to what the program needs, in whatever order it comes up. Operators can ask at their address meanwhile what it waits
// for.
func (p *Program) open(ctx context.Context, c config.Config, service string) (_ *parts, err error) {
	o := &parts{log: slog.New(p.handler(c.Log))}
	defer func() { //nolint:contextcheck // the end comes after ctx's
		if err != nil {
			err = errors.Join(err, o.close())
		}
	}()
	if err := checkShared(c.State.URL); err != nil {
		return nil, err
	}
	options, err := p.connection(c.Temporal)
	if err != nil {
		return nil, err
	}
	options.Logger = SDKLogger(o.log)
	if err := Encrypt(&options, c.Temporal, o.log); err != nil {
		return nil, err
	}
	if err := o.observe(ctx, c, p.Name, service); err != nil {
		return nil, err
	}
	options.MetricsHandler, options.Interceptors = o.telemetry.MetricsHandler, o.telemetry.Interceptors
	err = o.connect(ctx, c, options)
	return o, err
}

// observe makes the program measurable, and serves operators.
func (o *parts) observe(ctx context.Context, c config.Config, program, service string) (err error) {
	o.telemetry, err = NewTelemetry(ctx, TelemetryOptions{
		Service: program + "-" + service, Endpoint: c.Tracing.Endpoint, Sample: c.Tracing.Sample, Logger: o.log.With("part", "telemetry"),
	})
	if err != nil {
		return err
	}
	address := c.Starter.OperatorAddress
	if service == "worker" {
		address = c.Worker.OperatorAddress
	}
	o.operator, err = operate(ctx, service+".operator_address", address, o.telemetry.Handler, o.log)
	return err
}

// connect waits for the state and for Temporal.
func (o *parts) connect(ctx context.Context, c config.Config, options client.Options) error {
	o.address, o.namespace = options.HostPort, options.Namespace
	err := o.await(ctx, "the state at "+redacted(c.State.URL), passing, func() error { return o.openState(ctx, c) })
	if err != nil {
		return err
	}
	if err := o.await(ctx, "Temporal at "+o.address, unreached, func() error { return o.dial(ctx, options) }); err != nil {
		return err
	}
	return o.await(ctx, "the namespace "+o.namespace, unprepared, func() error { return o.prepare(ctx, c.Temporal) })
}

func (p *Program) handler(c config.Log) slog.Handler {
	options := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.NewJSONHandler(p.Stderr, options)
	}
	return slog.NewTextHandler(p.Stderr, options)
}

// checkShared refuses what two processes cannot share.
func checkShared(url string) error {
	if url == "memory:" {
		return errors.New("state.url is memory:, which ends with one process and is seen by no other; expected one that " +
			"all processes share: sqlite:PATH, postgres://… or redis://…")
	}
	return nil
}

// await tries until it succeeds, or fails with an error that does not pass, and says what it waits for.
func (o *parts) await(ctx context.Context, what string, passing func(error) bool, try func() error) error {
	const first, most = 100 * time.Millisecond, 5 * time.Second
	for pause := first; ; pause = min(2*pause, most) {
		o.operator.waitsFor(what)
		err := try()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("stopped while waiting for %s: %w", what, err)
		case !passing(err):
			return err
		}
		o.log.Warn("waiting for "+what, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // so that not all try at the same moment; no secret
		}
	}
}

func (o *parts) openState(ctx context.Context, c config.Config) error {
	driver, err := OpenDriver(ctx, c.State.URL, o.log.With("part", "state"))
	if err != nil {
		return err
	}
	options := state.Options{
		Deadline:     c.Section.Deadline,
		KeepChanges:  int64(c.Changes.Keep),
		KeepMessages: int64(c.Messages.Keep),
		ExpireAfter:  c.Session.ExpireAfter,
		Logger:       o.log.With("part", "state"),
	}
	if o.telemetry != nil {
		options.MeterProvider, options.TracerProvider = o.telemetry.MeterProvider, o.telemetry.TracerProvider
	}
	o.state = state.Open(driver, options) //nolint:contextcheck // it lives until it is closed
	return nil
}

// close closes what open has opened.
func (o *parts) close() error {
	if o.temporal != nil {
		o.temporal.Close()
	}
	var errs []error
	if o.state != nil {
		errs = append(errs, o.state.Close())
	}
	errs = append(errs, o.operator.close())
	if o.telemetry != nil {
		ctx, cancel := context.WithTimeout(context.Background(), endPatience)
		defer cancel()
		errs = append(errs, o.telemetry.Close(ctx))
	}
	return errors.Join(errs...)
}
