package allinone

import (
	"context"
	"fmt"
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
	listener, err := p.listen(ctx, "operators", "starter.operator_address", o.Config.Starter.OperatorAddress)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", p.telemetry.Handler)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", p.readyz)
	p.serve(listener, mux, func(context.Context) error { return nil }, o.Logger) //nolint:contextcheck // ctx bounds the start alone
	p.metrics = "http://" + listener.Addr().String() + "/metrics"
	return nil
}

// readyz answers as a starter's does, so that `holdfast health starter` can ask this program too.
func (p *Program) readyz(w http.ResponseWriter, r *http.Request) {
	service := p.state.Load()
	if service == nil {
		http.Error(w, "waiting for its start", http.StatusServiceUnavailable)
		return
	}
	if _, err := service.Outbox(r.Context(), 1); err != nil {
		http.Error(w, "ask the state: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}
