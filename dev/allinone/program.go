package allinone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/cmd/command"
	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/dev/embedded"
	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/worker"
)

// Options say what to run.
type Options struct {
	// Apps are the apps to run. None: Temporal and its Web UI run alone, for workers and starters that are processes of their own.
	Apps []*holdfast.App
	// Config has the settings; see config.Load and config.Default.
	Config config.Config
	// Given reports the keys of Config that were set, such as config.Sources.Given. A port that was given and is taken is an
	// error; for one that is a default the next free one is used. nil: all are defaults.
	Given func(key string) bool
	// Logger gets the log of all parts. Defaults to slog.Default.
	Logger *slog.Logger
}

// Program is all parts, running.
type Program struct {
	temporal  *embedded.Server
	telemetry *command.Telemetry
	url       string
	metrics   string // where they are; empty: nowhere
	given     func(key string) bool
	state     atomic.Pointer[state.Service] // nil until the pages can be opened
	notes     []string                      // what is not as it was asked for, for the announcement
	parts     []part                        // in the order of their start
}

// part is something that was started and has to be stopped.
type part struct {
	name string
	stop func() error
}

// Start starts all parts and returns when the pages can be opened. If a part does not start, those before it are stopped
// again. ctx bounds the start alone.
func Start(ctx context.Context, o Options) (*Program, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Given == nil {
		o.Given = func(string) bool { return false }
	}
	p := &Program{given: o.Given}
	if err := p.start(ctx, o); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (p *Program) start(ctx context.Context, o Options) error {
	for _, app := range o.Apps { // before anything is started, so that a mistake is told at once
		if err := app.Check(); err != nil {
			return err
		}
	}
	files, err := openDirectory(o.Config)
	if err != nil {
		return err
	}
	if err := p.startTemporal(ctx, o, files); err != nil || len(o.Apps) == 0 {
		return err
	}
	return p.startApps(ctx, o, files)
}

// startApps starts what runs the apps on the Temporal server that is there.
func (p *Program) startApps(ctx context.Context, o Options, files directory) error {
	if err := p.observe(ctx, o); err != nil {
		return err
	}
	c, err := p.connect(ctx, o)
	if err != nil {
		return err
	}
	service, err := p.openState(ctx, o, files)
	if err != nil {
		return err
	}
	if err := p.startWorker(c, service, o); err != nil {
		return err
	}
	return p.startStarter(ctx, c, service, o, files)
}

func (p *Program) startTemporal(ctx context.Context, o Options, files directory) error {
	port, err := p.port(ctx, "Temporal", "dev.temporal_port", o.Config.Dev.TemporalPort)
	if err != nil {
		return err
	}
	uiPort, err := p.port(ctx, "the Temporal Web UI", "dev.ui_port", o.Config.Dev.UIPort)
	if err != nil {
		return err
	}
	codecURL, err := p.startCodec(ctx, o, uiPort)
	if err != nil {
		return err
	}
	p.temporal, err = embedded.Start(ctx, embedded.Options{
		Database:  files.temporal,
		Port:      port,
		UI:        true,
		UIPort:    uiPort,
		CodecURL:  codecURL,
		Namespace: o.Config.Temporal.Namespace,
		Logger:    o.Logger.With("part", "temporal"),

		SearchAttributes: embedded.TaskAttributes(),
	})
	if errors.Is(err, embedded.ErrInUse) {
		return fmt.Errorf("start Temporal: another program uses the directory %s; stop that one, give this one a directory of its own with "+
			"--directory, or keep nothing with --ephemeral: %w", o.Config.Dev.Directory, err)
	}
	if err != nil {
		return fmt.Errorf("start Temporal: %w", err)
	}
	p.add("Temporal", func() error { p.temporal.Stop(); return nil })
	return nil
}

func (p *Program) connect(ctx context.Context, o Options) (client.Client, error) {
	options := client.Options{
		HostPort:  p.temporal.Address(),
		Namespace: p.temporal.Namespace(),
		Logger:    command.SDKLogger(o.Logger),

		MetricsHandler: p.telemetry.MetricsHandler,
		Interceptors:   p.telemetry.Interceptors,
	}
	options.ConnectionOptions.DialOptions = command.Reconnect()
	if err := command.Encrypt(&options, o.Config.Temporal, o.Logger); err != nil {
		return nil, err
	}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal: %w", err)
	}
	p.add("the Temporal client", func() error { c.Close(); return nil })
	return c, nil
}

func (p *Program) openState(ctx context.Context, o Options, files directory) (*state.Service, error) {
	driver, err := command.OpenDriver(ctx, files.state, o.Logger.With("part", "state"))
	if err != nil {
		return nil, fmt.Errorf("open the state: %w", err)
	}
	service := state.Open(driver, state.Options{ //nolint:contextcheck // it lives until it is closed
		Deadline:     o.Config.Section.Deadline,
		KeepChanges:  int64(o.Config.Changes.Keep),
		KeepMessages: int64(o.Config.Messages.Keep),
		ExpireAfter:  o.Config.Session.ExpireAfter,

		MeterProvider:  p.telemetry.MeterProvider,
		TracerProvider: p.telemetry.TracerProvider,

		Logger: o.Logger.With("part", "state"),
	})
	p.add("the state", service.Close)
	return service, nil
}

func (p *Program) startWorker(c client.Client, service *state.Service, o Options) error {
	w, err := worker.New(c, service, worker.Options{
		Apps:               o.Apps,
		TaskQueue:          o.Config.Temporal.TaskQueue,
		StopTimeout:        o.Config.Worker.StopTimeout,
		ActivitySlots:      o.Config.Worker.ActivitySlots,
		LocalActivitySlots: o.Config.Worker.LocalActivitySlots,
		WorkflowSlots:      o.Config.Worker.WorkflowSlots,
		ActivityPollers:    o.Config.Worker.ActivityPollers,
		WorkflowPollers:    o.Config.Worker.WorkflowPollers,
	})
	if err != nil {
		return err
	}
	if err := w.Start(); err != nil {
		return err
	}
	p.add("the worker", func() error { w.Stop(); return nil })
	return nil
}

func (p *Program) startStarter(ctx context.Context, c client.Client, service *state.Service, o Options, files directory) error {
	key, err := files.sessionKey(o.Config.Starter.SessionKey)
	if err != nil {
		return err
	}
	settings := o.Config.Starter
	links := p.temporal.WorkflowsURL()
	if settings.WorkflowsURL != "" { // the Web UI as seen through a proxy
		links = settings.WorkflowsURL + "/namespaces/" + url.PathEscape(p.temporal.Namespace()) + "/workflows/"
	}
	s, err := starter.New(starter.Options{
		SearchAttributes: true,
		MeterProvider:    p.telemetry.MeterProvider, TracerProvider: p.telemetry.TracerProvider,
		State: service, Temporal: c, Apps: o.Apps, SessionKey: key,
		WorkflowTaskTimeout: o.Config.Temporal.WorkflowTaskTimeout,
		Namespace:           p.temporal.Namespace(), TaskQueue: o.Config.Temporal.TaskQueue, Origins: settings.Origins, WorkflowsURL: links,
		PingInterval: settings.PingInterval, PingTimeout: settings.PingTimeout, WriteTimeout: settings.WriteTimeout,
		RefusalPause:      settings.RefusalPause,
		HeartbeatInterval: settings.HeartbeatInterval, HeartbeatTimeout: settings.HeartbeatTimeout, NapBelow: settings.NapBelow,
		Logger: o.Logger.With("part", "starter"),
	})
	if err != nil {
		return err
	}
	listener, err := p.listen(ctx, "the pages", "starter.address", settings.Address)
	if err != nil {
		return err
	}
	p.url = "http://" + listener.Addr().String() + "/"
	s.Start()
	p.serve(listener, s, s.Close, o.Logger) //nolint:contextcheck // ctx bounds the start alone
	p.state.Store(service)
	return nil
}

// serve serves the handler on the listener. When it is to stop, leave comes first.
func (p *Program) serve(listener net.Listener, handler http.Handler, leave func(context.Context) error, log *slog.Logger) {
	const headers = 10 * time.Second
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headers, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving ended", "address", listener.Addr().String(), "err", err)
		}
	}()
	p.add("serving", func() error {
		const patience = 2 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return errors.Join(leave(ctx), server.Close())
	})
}

// URL is where the list of apps is served, such as "http://127.0.0.1:8080/". Without apps it is empty.
func (p *Program) URL() string { return p.url }

// MetricsURL is where the metrics are served, or nothing.
func (p *Program) MetricsURL() string { return p.metrics }

// Temporal is the embedded server.
func (p *Program) Temporal() *embedded.Server { return p.temporal }

// Notes are sentences on what is not as the configuration asked for, such as another port.
func (p *Program) Notes() []string { return slices.Clone(p.notes) }

// Stop stops all parts, the last started first, and returns when nothing runs any more. What was running goes on at the next
// start on the same directory. It may be called again.
func (p *Program) Stop() error {
	var errs []error
	for _, part := range slices.Backward(p.parts) {
		if err := part.stop(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", part.name, err))
		}
	}
	p.parts = nil
	return errors.Join(errs...)
}

func (p *Program) add(name string, stop func() error) {
	p.parts = append(p.parts, part{name, stop})
}

// announce prints where everything is.
func (p *Program) announce(w io.Writer) {
	for _, note := range p.notes {
		fmt.Fprintln(w, note)
	}
	fmt.Fprintln(w)
	if p.url != "" {
		fmt.Fprintf(w, "  Pages          %s\n", p.url)
	}
	fmt.Fprintf(w, "  Temporal UI    %s\n  Temporal       %s\n", p.temporal.UIURL(), p.temporal.Address())
	if p.metrics != "" {
		fmt.Fprintf(w, "  Metrics        %s\n", p.metrics)
	}
	fmt.Fprintln(w, "\nReady. Ctrl-C stops.")
}
