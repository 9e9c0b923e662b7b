package starter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
	"github.com/holdfast-run/holdfast/state"
)

// Options say what a starter serves. State, Temporal, Apps and SessionKey are required; the zero value of the others stands
// for its default.
type Options struct {
	// State is the state service. The starter does not close it.
	State *state.Service
	// Temporal is where tasks are started. The starter does not close it.
	Temporal client.Client
	// Apps are the apps to serve.
	Apps []*holdfast.App
	// SessionKey signs the sessions' tokens: at least 32 bytes, the same for all starters, and secret. With another key
	// every client gets a new session.
	SessionKey []byte

	// Namespace is Temporal's namespace to which the client belongs. Defaults to "default".
	Namespace string
	// TaskQueue is where tasks are started; a worker must serve the same. Defaults to "holdfast".
	TaskQueue string
	// Origins are hosts, beside the page's own, from which a browser may connect, such as "app.example.org" or "*.example.org".
	Origins []string
	// WorkflowsURL is the address in the Temporal Web UI to which a task's id can be appended. Empty: pages get no links.
	WorkflowsURL string
	// PingInterval is how often a peer is pinged. Defaults to 10 s.
	PingInterval time.Duration
	// PingTimeout is after what time without an answer a peer counts as dead. Defaults to 20 s.
	PingTimeout time.Duration
	// HeartbeatInterval is how often the tasks of a connected session are told that it still is. It costs four events of a task's
	// history each time; changes are told at once. Defaults to 60 s.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is after what time without a heartbeat a task takes its session as disconnected. Defaults to 180 s.
	HeartbeatTimeout time.Duration
	// NapBelow is the length up to which sleeps of inline tasks are spent in the worker. Defaults to 100 ms; on a server whose timers
	// cannot be tuned, such as Temporal Cloud, 2 s is right.
	NapBelow time.Duration
	// WorkflowTaskTimeout is how long a worker may take for one turn of a task (Temporal's workflow task time-out). A worker
	// that dies in a turn is noticed after it; a worker with much to recover needs the time. At most 2 s count for tasks that
	// are registered as inline, which learn of a cancellation after four fifths of it. Defaults to 10 s.
	WorkflowTaskTimeout time.Duration
	// SearchAttributes gives each workflow the search attributes HoldfastApp, HoldfastTask and HoldfastSession (of type Keyword, which the
	// namespace must have), by which people find it.
	SearchAttributes bool
	// WriteTimeout is how long a client may take to accept one message before it is cut. Defaults to 10 s.
	WriteTimeout time.Duration
	// RefusalPause is how long an address at most has to wait for its next connection whose last ones were refused again and again: for
	// bad messages, forged tokens, floods. Behind a proxy that is the proxy's address, and so all new connections through it;
	// connections that are open are never touched. Defaults to 500 ms.
	RefusalPause time.Duration
	// Logger defaults to slog.Default.
	Logger *slog.Logger
	// MeterProvider gets the starter's metrics, TracerProvider its spans; docs/observability.md names them. Without one nothing is
	// measured, or traced, and what a client says of its trace is ignored.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
}

// Starter serves the pages of apps and starts their tasks. It is an http.Handler; its methods are safe for concurrent use.
type Starter struct {
	opts   Options
	apps   map[string]*holdfast.App
	tokens tokens

	presence *presence
	big      gate
	patience patience
	costs    costs
	seen     sightings
	mux      *http.ServeMux
	log      *slog.Logger
	tracer   telemetry.Tracer
	metrics  *metrics

	ctx     context.Context // ends when Close begins
	stop    context.CancelFunc
	mu      sync.Mutex // protects closed, and running against an Add after Close
	closed  bool
	running sync.WaitGroup // connections and the relay
}

// New checks the options and the apps and returns a starter that is ready to serve. It does nothing in the background; see
// [Starter.Start].
func New(o Options) (*Starter, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("starter: %w", err)
	}
	o = o.withDefaults()
	s := &Starter{opts: o, apps: map[string]*holdfast.App{}, tokens: tokens{key: o.SessionKey}, big: newGate()}
	for _, app := range o.Apps {
		if s.apps[app.Name()] != nil {
			return nil, fmt.Errorf("starter: two apps are called %q", app.Name())
		}
		s.apps[app.Name()] = app
	}
	s.patience.most = o.RefusalPause
	s.tracer = telemetry.NewTracer(o.TracerProvider, scope)
	s.log = s.tracer.Logger(o.Logger)
	var err error
	if s.metrics, err = newMetrics(o.MeterProvider); err != nil {
		return nil, fmt.Errorf("starter: %w", err)
	}
	s.metrics.begin(o.Apps)
	s.presence = newPresence(s)
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.mux = s.routes()
	return s, nil
}

func (o Options) check() error {
	errs := []error{}
	if o.State == nil {
		errs = append(errs, errors.New("Options.State is missing"))
	}
	if o.Temporal == nil {
		errs = append(errs, errors.New("Options.Temporal is missing"))
	}
	if len(o.SessionKey) < minKey {
		errs = append(errs, fmt.Errorf("Options.SessionKey has %d bytes; expected at least %d", len(o.SessionKey), minKey))
	}
	if len(o.Apps) == 0 {
		errs = append(errs, errors.New("Options.Apps is empty"))
	}
	for _, app := range o.Apps {
		errs = append(errs, app.Check())
	}
	return errors.Join(errs...)
}

func (o Options) withDefaults() Options {
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	if o.TaskQueue == "" {
		o.TaskQueue = "holdfast"
	}
	for field, value := range map[*time.Duration]time.Duration{
		&o.PingInterval:      10 * time.Second,
		&o.PingTimeout:       20 * time.Second,
		&o.WriteTimeout:      10 * time.Second,
		&o.HeartbeatInterval: time.Minute,
		&o.HeartbeatTimeout:  3 * time.Minute,
		&o.NapBelow:          100 * time.Millisecond,
		&o.RefusalPause:      500 * time.Millisecond,

		&o.WorkflowTaskTimeout: 10 * time.Second,
	} {
		if *field == 0 {
			*field = value
		}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Start begins to start the tasks that sections ask for, to tell them of their pages, and to keep the sessions' lists of tasks
// true, and returns. Call it once.
func (s *Starter) Start() {
	for l := range lanes {
		s.spawn(func() { newRelay(s, l).run(s.ctx) })
	}
	s.spawn(func() { s.presence.keepLease(s.ctx) })
	s.spawn(func() { s.presence.beat(s.ctx) })
	s.spawn(func() { s.presence.reap(s.ctx) })
	s.spawn(func() { s.reconcile(s.ctx) })
}

// Cancel asks for the end of one of the session's tasks, or of all of them (an empty id); see [state.Service.Cancel].
func (s *Starter) Cancel(ctx context.Context, session holdfast.SessionID, task holdfast.TaskID) error {
	return s.opts.State.Cancel(ctx, session, state.Key{}, task, "cancelled by the operator")
}

// Close ends every connection with "going away" and waits, as long as ctx allows, until nothing runs any more. Clients
// reconnect, here or elsewhere, and miss nothing. It may be called again.
func (s *Starter) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		s.metrics.close()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close the starter: %w", ctx.Err())
	}
}

// spawn runs f so that Close waits for it; not at all once Close has begun.
func (s *Starter) spawn(f func()) {
	if s.enter() {
		go func() {
			defer s.running.Done()
			f()
		}()
	}
}

// enter reports whether work may still begin; if so, running.Done must follow.
func (s *Starter) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}
