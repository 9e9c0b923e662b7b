// Package embedded runs a Temporal server and its Web UI inside the calling process: for development and tests. It is the
// server's own code on SQLite, bound to the loopback interface, and tuned for short timers.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"

	"go.temporal.io/sdk/client"
	"go.temporal.io/server/temporal"

	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// loopback is the only interface that is listened on.
const loopback = "127.0.0.1"

// Options say where the server listens and keeps its data. The zero value is a server in memory, on free ports, without a
// Web UI.
type Options struct {
	// Database is the path of the SQLite file; its directory is made where it is missing. Empty: in memory, gone with the process.
	Database string
	// Port is the frontend's; 0: a free one.
	Port int
	// UI adds the Web UI.
	UI bool
	// UIPort is the Web UI's; 0: a free one.
	UIPort int
	// Namespace is made where it is missing. Defaults to "default".
	Namespace string
	// Dynamic is dynamic configuration on top of the tuned values, by key.
	Dynamic map[string]any
	// Logger gets the server's warnings and errors. nil: nobody does.
	Logger *slog.Logger
}

// Server is a running server. Its methods are safe for concurrent use.
type Server struct {
	namespace string
	port      int
	ui        *webUI
	server    temporal.Server
	log       *logger
	unlock    func() error
	stop      sync.Once
}

// Start starts a server and returns when it answers. ctx bounds the start alone. A port that is taken is an error that
// wraps syscall.EADDRINUSE; a database that another process has open is [ErrInUse].
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	s := &Server{namespace: o.Namespace, log: newLogger(o.Logger)}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if s.unlock, err = lockFile(o.Database); err != nil {
		return nil, err
	}
	ports, err := pick(o.Port)
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	s.port = ports.frontend
	if s.server, err = newServer(o, ports, s.log); err != nil {
		return nil, err
	}
	if err := s.server.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded server: %w", err)
	}
	if err := s.await(ctx); err != nil {
		return nil, err
	}
	if o.UI {
		s.ui, err = startUI(ctx, s.Address(), o.UIPort)
	}
	return s, err
}

// await waits until the frontend serves the namespace: a fresh one takes the server a moment to learn of.
func (s *Server) await(ctx context.Context) error {
	c, err := client.DialContext(ctx, client.Options{
		HostPort:  s.Address(),
		Namespace: s.namespace,
		Logger:    sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))),
		ConnectionOptions: client.ConnectionOptions{
			DialOptions: []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.WaitForReady(true))},
		},
	})
	if err != nil {
		return fmt.Errorf("wait for the embedded server: %w", err)
	}
	defer c.Close()
	return awaitNamespace(ctx, c, s.namespace)
}

// Address is the frontend's host:port.
func (s *Server) Address() string { return net.JoinHostPort(loopback, strconv.Itoa(s.port)) }

// Namespace is the namespace that was made.
func (s *Server) Namespace() string { return s.namespace }

// UIURL is the address of the Web UI without a slash at the end, or empty.
func (s *Server) UIURL() string {
	if s.ui == nil {
		return ""
	}
	return s.ui.url
}

// WorkflowsURL is the address in the Web UI to which a workflow's id can be appended, or empty.
func (s *Server) WorkflowsURL() string {
	if s.ui == nil {
		return ""
	}
	return s.ui.url + "/namespaces/" + s.namespace + "/workflows/"
}

// Stop stops the Web UI and the server and returns when they have. It may be called again.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.log.quiet() // the parts of a server that stops complain of each other
		if s.ui != nil {
			s.ui.stop()
		}
		var errs []error
		if s.server != nil {
			errs = append(errs, s.server.Stop())
		}
		if s.unlock != nil {
			errs = append(errs, s.unlock())
		}
		if err := errors.Join(errs...); err != nil {
			s.log.out.Warn("stopping the embedded server", "err", err)
		}
	})
}
