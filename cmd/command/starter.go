package command

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/starter"
)

func (p *Program) starter() *cobra.Command {
	return p.command("starter", "Serve pages and start tasks", `Serve the apps' pages and web sockets, and start the tasks that sections ask for. Any number of starters serve the
same sessions, behind a proxy that passes web sockets on; starter.session_key and state.url must be the same for all.

On SIGTERM a starter ends its connections; the pages connect to another one and miss nothing.`,
		p.runStarter, "temporal", "state", "starter", "section", "session", "changes", "messages", "tracing", "log")
}

func (p *Program) runStarter(ctx context.Context, c config.Config) (err error) {
	if c.Starter.SessionKey.IsEmpty() {
		return errors.New("starter.session_key is not set; all starters need the same secret of at least 32 bytes, " +
			"or a page that comes to another starter loses its session (openssl rand -base64 32)")
	}
	secure, err := certificate(c.Starter)
	if err != nil {
		return err
	}
	o, err := p.open(ctx, c, "starter")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }() //nolint:contextcheck // the end comes after ctx's
	s, err := starter.New(p.starterOptions(c, o))
	if err != nil {
		return err
	}
	var network net.ListenConfig
	listener, err := network.Listen(ctx, "tcp", c.Starter.Address)
	if err != nil {
		return fmt.Errorf("starter.address: %w", err)
	}
	scheme := "http"
	if secure != nil {
		scheme, listener = "https", tls.NewListener(listener, secure)
	}
	s.Start()
	ended := serve(listener, s, o.log)
	o.operator.isReady(o.checkStarter)
	fmt.Fprintf(p.Stdout, "Ready: %s://%s/%s\n", scheme, listener.Addr(), o.operator)
	select {
	case <-ctx.Done():
	case err = <-ended.err:
	}
	o.operator.waitsFor("its end")
	return errors.Join(err, ended.close(s)) //nolint:contextcheck // ctx has ended
}

func (p *Program) starterOptions(c config.Config, o *parts) starter.Options {
	links := c.Starter.WorkflowsURL
	if links != "" {
		links += "/namespaces/" + url.PathEscape(o.namespace) + "/workflows/"
	}
	return starter.Options{
		State: o.state, Temporal: o.temporal, Apps: p.Apps, SessionKey: []byte(c.Starter.SessionKey.Reveal()),
		WorkflowTaskTimeout: c.Temporal.WorkflowTaskTimeout,
		Namespace:           o.namespace, TaskQueue: c.Temporal.TaskQueue, Origins: c.Starter.Origins, WorkflowsURL: links,
		PingInterval: c.Starter.PingInterval, PingTimeout: c.Starter.PingTimeout, WriteTimeout: c.Starter.WriteTimeout,
		RefusalPause:      c.Starter.RefusalPause,
		HeartbeatInterval: c.Starter.HeartbeatInterval, HeartbeatTimeout: c.Starter.HeartbeatTimeout, NapBelow: c.Starter.NapBelow,
		SearchAttributes: c.Temporal.SearchAttributes,
		MeterProvider:    o.telemetry.MeterProvider, TracerProvider: o.telemetry.TracerProvider,
		Logger: o.log.With("part", "starter"),
	}
}

// certificate is what the pages are served with; nil: without TLS.
func certificate(c config.Starter) (*tls.Config, error) {
	if c.TLSCertFile == "" {
		return nil, nil //nolint:nilnil // none is what was asked for
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCertFile, c.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("starter.tls_cert_file and starter.tls_key_file: %w", err)
	}
	// A web socket begins as a request of HTTP/1.1.
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

// served is a listener that is being served.
type served struct {
	server *http.Server
	err    chan error // one, when serving ends by itself
}

func serve(listener net.Listener, handler http.Handler, log *slog.Logger) *served {
	const asking, idle = 10 * time.Second, 2 * time.Minute // a web socket has time limits of its own
	s := &served{err: make(chan error, 1)}
	s.server = &http.Server{Handler: handler, ReadTimeout: asking, IdleTimeout: idle, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.err <- fmt.Errorf("serve: %w", err)
		}
	}()
	return s
}

// close ends the connections in good order.
func (s *served) close(of *starter.Starter) error {
	ctx, cancel := context.WithTimeout(context.Background(), endPatience)
	defer cancel()
	return errors.Join(of.Close(ctx), s.server.Close())
}

// shutdown lets what is being answered be answered.
func (s *served) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), endPatience)
	defer cancel()
	return s.server.Shutdown(ctx) //nolint:wrapcheck // it says what it is
}

// endPatience is how long clients get to take leave.
const endPatience = 5 * time.Second
