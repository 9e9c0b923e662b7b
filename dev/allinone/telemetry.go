package allinone

import (
	"context"
	"net/http"
	"time"

	"github.com/holdfast-run/holdfast/cmd/command"
)

// observe makes the program measurable as production's programs are: numbers for Prometheus at the starter's address for operators, traces
// where the settings say.
func (p *Program) observe(ctx context.Context, o Options) (err error) {
	p.telemetry, err = command.NewTelemetry(ctx, command.TelemetryOptions{
		Service: "holdfast-dev", Endpoint: o.Config.Tracing.Endpoint, Sample: o.Config.Tracing.Sample, Logger: o.Logger.With("part", "telemetry"),
	})
	if err != nil {
		return err
	}
	p.add("telemetry", func() error { //nolint:contextcheck // ctx bounds the start alone
		const patience = 2 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return p.telemetry.Close(ctx)
	})
	if o.Config.Starter.OperatorAddress == "" {
		return nil
	}
	listener, err := p.listenFor(ctx, "operators", o.Config.Starter.OperatorAddress)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.telemetry.Handler)
	p.serve(listener, mux, func(context.Context) error { return nil }, o.Logger) //nolint:contextcheck // ctx bounds the start alone
	p.metrics = "http://" + listener.Addr().String() + "/metrics"
	return nil
}
