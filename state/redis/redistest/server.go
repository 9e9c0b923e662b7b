// Package redistest starts Redis servers of their own for tests, on free ports, in directories that go with the test: the program
// HOLDFAST_TEST_REDIS, such as valkey-server, or else the redis-server or valkey-server in the PATH.
package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// Server is a running server. Its methods are for the test's goroutine.
type Server struct {
	t       testing.TB
	program string
	dir     string
	port    int
	args    []string
	process *exec.Cmd
	drained chan struct{} // closed when the process has closed its output
}

// Start starts a server that appends each write to its file before it answers, and stops it with the test. More arguments
// may say otherwise: Start(t, "--appendonly", "no"). Without the program on the machine the test is skipped.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := &Server{t: t, program: need(t), dir: t.TempDir(), args: args}
	const tries = 5 // another program may take the port before the server does
	for try := 1; ; try++ {
		s.port = FreePort(t)
		err := s.launch()
		if err == nil {
			break
		}
		if try == tries {
			t.Fatalf("start %s: %v", s.program, err)
		}
	}
	t.Cleanup(s.Kill)
	return s
}

// need finds the program.
func need(t testing.TB) string {
	t.Helper()
	if chosen := os.Getenv("HOLDFAST_TEST_REDIS"); chosen != "" {
		program, err := exec.LookPath(chosen)
		if err != nil {
			t.Fatalf("HOLDFAST_TEST_REDIS: %v", err)
		}
		return program
	}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	const how = "neither redis-server nor valkey-server is installed; get one with: apt-get install redis-server"
	if os.Getenv("HOLDFAST_TEST_REQUIRE") != "" {
		t.Fatal(how)
	}
	t.Skip(how)
	return ""
}

// FreePort returns a port that nobody listens on.
func FreePort(t testing.TB) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer listener.Close() //nolint:errcheck // nobody has connected
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("find a free port: %v", listener.Addr())
	}
	return address.Port
}

// Port is the port that the server listens on.
func (s *Server) Port() int { return s.port }

// Address is the server's host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the address for redis.Open.
func (s *Server) URL() string { return "redis://" + s.Address() }

// Kill ends the server without a warning, as a loss of power would. A server that has ended stays so.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill() // it may have ended by itself
	<-s.drained
	_ = s.process.Wait() // it was killed
	s.process = nil
}

// Restart kills the server if it runs, and starts it again on the same port with the same data.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	if err := s.launch(); err != nil {
		s.t.Fatalf("restart %s: %v", s.program, err)
	}
}

// launch returns when the server accepts connections.
func (s *Server) launch() error {
	args := append([]string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "always",
	}, s.args...)
	process := exec.CommandContext(context.Background(), s.program, args...) //nolint:gosec // a program that was looked up
	output, err := process.StdoutPipe()
	if err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	if err := process.Start(); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	s.process, s.drained = process, make(chan struct{})
	ready := make(chan error, 1)
	go s.drain(output, ready)
	if err := <-ready; err != nil {
		s.Kill()
		return err
	}
	return nil
}

// drain reads what the server says until it ends. It tells when the server is ready, or with what last words it ended before.
func (s *Server) drain(output io.Reader, ready chan<- error) {
	defer close(s.drained)
	last := "nothing was said"
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		last = lines.Text()
		if strings.Contains(last, "Ready to accept connections") {
			ready <- nil
			_, _ = io.Copy(io.Discard, output) // until it ends
			return
		}
	}
	ready <- errors.New(last)
}
