// Package embedded runs a Temporal server and its Web UI inside the calling process: for development and tests. It is the
// server's own code on SQLite, bound to the loopback interface, tuned for short timers, and calling nothing outside.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/server/temporal"
)

// loopback is the only interface that is listened on: nothing here asks who is calling.
const loopback = "127.0.0.1"

// patience is how long a start may take that nobody else bounds. The usual is less than a second.
const patience = time.Minute

var errNotReady = errors.New("not ready within a minute")

// Options say where the server listens and keeps its data. The zero value is a server in memory, on free ports, without a
// Web UI.
type Options struct {
	// Database is the path of the SQLite file; the file and its directory are made where they are missing. Beside it stand
	// files of the same name and ".lock", "-wal" and "-shm". Empty: in memory, gone with the process.
	Database string
	// Port is the frontend's; 0: a free one.
	Port int
	// UI adds the Web UI.
	UI bool
	// UIPort is the Web UI's; 0: a free one. Ignored without UI.
	UIPort int
	// CodecURL is where the Web UI has payloads decrypted; empty: nowhere. Ignored without UI.
	CodecURL string
	// Namespace is made where it is missing. Defaults to "default".
	Namespace string
	// Retention is how long the namespace keeps a workflow that has closed. It is set when the namespace is made and not changed
	// after. Defaults to 7 days, so that Friday's work can be looked at on Monday.
	Retention time.Duration
	// SearchAttributes are added to the namespace where they are missing, by name. None is ever removed.
	SearchAttributes map[string]enums.IndexedValueType
	// DynamicConfig is dynamic configuration on top of the tuned values, by key, such as "limit.maxIDLength".
	DynamicConfig map[string]any
	// Logger gets the server's warnings and errors while it serves, and its errors while it starts. nil: nobody does.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	const week = 7 * 24 * time.Hour
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	if o.Retention == 0 {
		o.Retention = week
	}
	return o
}

// Server is a running server. Its methods are safe for concurrent use.
type Server struct {
	namespace string
	port      int
	log       *logger

	// What Stop has to stop; nil where Start did not get so far.
	ui     *webUI
	server temporal.Server
	lock   *fileLock
	stop   sync.Once
}

// Start starts a server and returns when a client can use the namespace and a browser the Web UI. ctx bounds the
// start alone, which takes at most a minute.
//
// A port that is taken is an error that wraps syscall.EADDRINUSE and names the port. A database that another server has open
// wraps [ErrInUse], and one that this server cannot read wraps [ErrDatabase]; both name the path. Nothing runs after an error.
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errNotReady)
	defer cancel()
	s := &Server{namespace: o.Namespace, log: newLogger(o.Logger, fail)}
	if err := s.start(ctx, o); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start the embedded Temporal server: %w", err)
	}
	s.log.serving()
	return s, nil
}

func (s *Server) start(ctx context.Context, o Options) (err error) {
	ports, err := reserve(o) // first, as a taken port is the commonest mistake and the cheapest to find
	if err != nil {
		return err
	}
	defer ports.release()
	s.port = ports.frontend.number()
	if s.lock, err = lockDatabase(o.Database); err != nil {
		return err
	}
	store, err := openStore(ctx, o)
	if err != nil {
		return err
	}
	if s.server, err = newServer(o, ports, store, s.log); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err // the services' start cannot be interrupted
	}
	if err := s.server.Start(); err != nil {
		return fmt.Errorf("start its services: %w", err)
	}
	if err := awaitNamespace(ctx, s.Address(), s.namespace); err != nil {
		return err
	}
	if o.UI {
		s.ui, err = startUI(ctx, s.Address(), o.CodecURL, ports.ui)
	}
	return err
}

// Address is the frontend's, as host:port.
func (s *Server) Address() string { return joinPort(s.port) }

// Namespace is the namespace that was asked for.
func (s *Server) Namespace() string { return s.namespace }

// UIURL is the address of the Web UI, without a slash at the end. Empty without a Web UI.
func (s *Server) UIURL() string {
	if s.ui == nil {
		return ""
	}
	return s.ui.url
}

// WorkflowsURL is the address in the Web UI to which a workflow's id can be appended. Empty without a Web UI.
func (s *Server) WorkflowsURL() string {
	if s.ui == nil {
		return ""
	}
	return s.ui.url + "/namespaces/" + url.PathEscape(s.namespace) + "/workflows/"
}

// Stop stops the Web UI and then the server, and returns when they have stopped and the database is free for another process:
// after about a second, which the server grants to calls that are under way. Workflows go on at the next start on the same
// database. It may be called again, and then returns when the first call does.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.log.silence() // the parts of a server that stops complain of each other
		if s.ui != nil {
			s.ui.stop()
		}
		var errs []error
		if s.server != nil {
			errs = append(errs, s.server.Stop())
		}
		errs = append(errs, s.lock.release())
		if err := errors.Join(errs...); err != nil {
			s.log.out.Warn("stopping the embedded Temporal server", "err", err)
		}
	})
}
