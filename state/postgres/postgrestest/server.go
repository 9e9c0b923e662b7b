// Package postgrestest starts a PostgreSQL server of its own for a test, and PgBouncer in front of it, from the programs that are
// installed: the newest PostgreSQL that is found, or that in the directory HOLDFAST_TEST_POSTGRES, such as
// /usr/lib/postgresql/14/bin, and the pgbouncer in the PATH, or HOLDFAST_TEST_PGBOUNCER.
package postgrestest

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// The one user of a test's server, who may do everything, and its password.
const (
	User     = "holdfast"
	Password = "correct horse battery staple"
)

// Server is a PostgreSQL server on a port of its own on 127.0.0.1, with data of its own that go with the test. It is not for
// data that matter: it does not wait for the disk. It is safe for concurrent use, but Kill and Restart are for one goroutine.
type Server struct {
	programs string // the directory of initdb and postgres
	dir      string
	port     int
	settings []string

	running  *exec.Cmd
	watchdog *exec.Cmd
	exited   chan struct{} // closed when running has ended
	output   output
}

// Start starts a server, which ends with the test. Settings are lines of postgresql.conf such as "max_connections=20". Where
// PostgreSQL is not installed the test is skipped, or fails if HOLDFAST_TEST_REQUIRE is set.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	s := &Server{programs: programs(t), settings: settings}
	dir, err := os.MkdirTemp("", "holdfast-postgres-") //nolint:usetesting // another user must be able to get there
	require.NoError(t, err)
	s.dir = dir
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Cleanup(s.stop)
	s.initialize(t)
	s.port = freePort(t)
	s.start(t)
	return s
}

// URL leads to the server's first database.
func (s *Server) URL() string { return s.url("postgres") }

// Database creates another, empty database and returns the URL that leads to it.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.URL())
	require.NoError(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // nothing is lost with it
	name := "test_" + strings.ToLower(rand.Text())
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	return s.url(name)
}

func (s *Server) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(User, Password), Host: s.Address(), Path: database}
	return u.String()
}

// Address is the server's host and port.
func (s *Server) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Kill ends the server at once, as a crash would: connections break, what was committed stays.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	require.NotNil(t, s.running, "the server does not run")
	s.stop()
}

// Restart starts the server on its port with its data, after a crash if it runs.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.stop()
	s.start(t)
}

// initialize makes the directory of data.
func (s *Server) initialize(t testing.TB) {
	t.Helper()
	password := filepath.Join(s.dir, "password")
	require.NoError(t, os.WriteFile(password, []byte(Password+"\n"), 0o600))
	require.NoError(t, giveAway(s.dir))
	require.NoError(t, giveAway(password))
	command := s.command(t.Context(), filepath.Join(s.programs, "initdb"),
		"--pgdata="+s.data(), "--username="+User, "--pwfile="+password, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C", "--no-sync")
	text, err := command.CombinedOutput()
	require.NoError(t, err, string(text))
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command runs as a user that PostgreSQL accepts.
func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, args...) //nolint:gosec // a test's own
	command.Dir = s.dir
	asAnother(command)
	return command
}

// start starts the server and waits until it answers.
func (s *Server) start(t testing.TB) {
	t.Helper()
	args := []string{
		"-D", s.data(), "-c", "port=" + strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "autovacuum=off",
	}
	args = slices.Grow(args, 2*len(s.settings))
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	s.launch(t, filepath.Join(s.programs, "postgres"), args...)
}

// launch starts the program that listens on the port, and waits until it answers.
func (s *Server) launch(t testing.TB, program string, args ...string) {
	t.Helper()
	running := s.command(context.WithoutCancel(t.Context()), program, args...)
	running.Stdout, running.Stderr = &s.output, &s.output
	require.NoError(t, running.Start())
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = running.Wait()
	}()
	s.running, s.exited = running, exited
	s.watch(t)
	s.await(t)
}

// watch has a process end the server when the test's process dies without doing so: its standard input ends then.
func (s *Server) watch(t testing.TB) {
	t.Helper()
	const script = `read -r _; kill -QUIT "$1"`
	s.watchdog = s.command(context.WithoutCancel(t.Context()), "sh", "-c", script, "sh", strconv.Itoa(s.running.Process.Pid))
	_, err := s.watchdog.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, s.watchdog.Start())
}

// await waits until the server answers.
func (s *Server) await(t testing.TB) {
	t.Helper()
	const patience, pause = 60 * time.Second, 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			require.NoError(t, conn.Close(ctx))
			return
		}
		select {
		case <-ticker.C:
		case <-s.exited:
			require.Fail(t, "the server ended", s.output.String())
		case <-ctx.Done():
			require.Fail(t, "the server does not answer", "%v\n%s", err, &s.output)
		}
	}
}

// stop ends the server and waits for that.
func (s *Server) stop() {
	if s.running == nil {
		return
	}
	if s.watchdog != nil && s.watchdog.Process != nil { // first: the server's number may soon be another process's
		_ = s.watchdog.Process.Kill()
		_ = s.watchdog.Wait()
	}
	quit(s.running.Process)
	<-s.exited
	s.running, s.watchdog = nil, nil
}

// freePort is a port that nobody listens on.
func freePort(t testing.TB) int {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close() //nolint:errcheck // only its number was wanted
	address, ok := listener.Addr().(*net.TCPAddr)
	require.True(t, ok)
	return address.Port
}

// output keeps what the server says, for the message of a test that fails.
type output struct {
	mu   sync.Mutex // protects text
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p) //nolint:wrapcheck // it never fails
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(o.text.String(), "\n")
	const most = 30
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
