package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
)

// checkPatience is how long one of the things that a program needs may take to answer before it counts as away.
const checkPatience = 2 * time.Second

// operator serves what operators and their machines ask of a program: /healthz, whether it lives; /readyz, whether it can do its
// work, and if not, what it lacks; /metrics, its numbers for Prometheus. A nil operator does nothing.
type operator struct {
	listener net.Listener
	server   *http.Server
	mux      *http.ServeMux

	mu    sync.Mutex // protects what follows
	waits string     // for what, until it is ready and again when it ends
	check check
}

// check says that a program is ready, and what of it is not, or why it is not.
type check func(context.Context) (string, error)

// ready is what /readyz says first of a program that is.
const ready = "ready"

// operate serves at the address; with none it returns nil. The key is where the address comes from.
func operate(ctx context.Context, key, address string, metrics http.Handler, log *slog.Logger) (*operator, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // none is what was asked for
	}
	var network net.ListenConfig
	listener, err := network.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; give each program of a machine its own, or none", key, err)
	}
	o := &operator{listener: listener, mux: http.NewServeMux(), waits: "its start"}
	o.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	o.mux.HandleFunc("GET /readyz", o.readyz)
	o.mux.Handle("GET /metrics", metrics)
	o.server = &http.Server{Handler: o.mux, ReadTimeout: checkPatience, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		if err := o.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving operators ended", "err", err)
		}
	}()
	return o, nil
}

// waitsFor says that the program is not ready, and what it waits for.
func (o *operator) waitsFor(what string) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waits, o.check = what, nil
}

// isReady says that the program is ready as long as the check finds nothing.
func (o *operator) isReady(check check) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waits, o.check = "", check
}

// readyz answers 200 or says what is missing.
func (o *operator) readyz(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	waits, check := o.waits, o.check
	o.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	if check == nil {
		http.Error(w, "waiting for "+waits, http.StatusServiceUnavailable)
		return
	}
	said, err := check(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, said)
}

// String is what the announcement of readiness says of it.
func (o *operator) String() string {
	if o == nil {
		return ""
	}
	return fmt.Sprintf(", for operators http://%s/readyz", o.listener.Addr())
}

func (o *operator) close() error {
	if o == nil {
		return nil
	}
	return o.server.Close() //nolint:wrapcheck // a listener that was closed already
}

// checkWorker asks for what a worker needs. Errors of a store may name its address, never its password.
func (o *parts) checkWorker(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	if err := o.askTemporal(ctx); err != nil {
		return "", err
	}
	return ready, o.askState(ctx)
}

// checkStarter asks for what a starter needs: without Temporal pages are served and events applied, only the tasks that they start have
// to wait.
func (o *parts) checkStarter(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	if err := o.askState(ctx); err != nil {
		return "", err
	}
	if err := o.askTemporal(ctx); err != nil {
		return ready + "; tasks start when Temporal is back: " + err.Error(), nil
	}
	return ready, nil
}

func (o *parts) askTemporal(ctx context.Context) error {
	if _, err := o.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		return fmt.Errorf("ask Temporal at %s: %w", o.address, err)
	}
	return nil
}

// askState asks whether a section could commit.
func (o *parts) askState(ctx context.Context) error {
	if err := o.state.Probe(ctx); err != nil {
		return fmt.Errorf("ask the state: %w", err)
	}
	return nil
}
