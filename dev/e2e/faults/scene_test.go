// Package faults has the scenarios in which processes of Holdfast are paused, cut off and given
// wrong clocks, while a checker that knows only the contracts looks on: each acknowledged event is
// applied once and in order, each turn of a loop once, Finally once; revisions are consecutive; no
// task is cancelled under a connected page, and nothing is listed that has ended.
//
// The pages are a client of the protocol that was written from docs/protocol.md (page_test.go). The
// app is dev/e2e/exact, whose state notices what happens twice. Each scenario runs on private
// servers of SQLite, PostgreSQL and Redis, with starters and workers as processes of their own.
package faults_test

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // to see whether the file can be written

	"github.com/holdfast-run/holdfast/dev/internal/processes"
	"github.com/holdfast-run/holdfast/dev/internal/tcpproxy"
	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// built are the programs of this test run.
var built *processes.Programs

func TestMain(m *testing.M) {
	os.Exit(processes.Run(m, func(programs *processes.Programs) { built = programs }))
}

// The times of the tests' starters.
const (
	pingInterval = 3 * time.Second
	pingTimeout  = 6 * time.Second
)

// pause is how long a process is stopped: longer than the lease of a session (1.5 s), that of a
// starter's presence (12 s), a workflow task (10 s) and an activity's heartbeat time-out.
const pause = 20 * time.Second

// database opens an empty store.
type database func(testing.TB) (stateURL string)

// databases start one private server for all scenarios of a store.
func databases() map[string]func(testing.TB) database {
	return map[string]func(testing.TB) database{
		"sqlite": func(testing.TB) database { return processes.SQLiteFile },
		"postgres": func(t testing.TB) database {
			t.Helper()
			return postgrestest.Start(t, "max_connections=200").Database
		},
		"redis": func(t testing.TB) database {
			t.Helper()
			redistest.Start(t) // looks whether there is one
			return func(t testing.TB) string { t.Helper(); return redistest.Start(t, "--appendfsync", "everysec").URL() }
		},
	}
}

// scene is a cluster and its store.
type scene struct {
	*processes.Cluster

	t        *testing.T
	stateURL string
}

// newScene is a cluster without workers and starters.
func newScene(t *testing.T, server *processes.Temporal, db database, environ ...string) *scene {
	t.Helper()
	s := &scene{t: t, stateURL: db(t)}
	s.Cluster = processes.NewCluster(t, built, server, strings.ReplaceAll(t.Name(), "/", "-"), s.stateURL)
	s.Environ = append(s.Environ,
		"HOLDFAST_STARTER_PING_INTERVAL="+pingInterval.String(), "HOLDFAST_STARTER_PING_TIMEOUT="+pingTimeout.String(),
		"HOLDFAST_LOG_LEVEL=info")
	s.Environ = append(s.Environ, environ...)
	path := filepath.Join(t.TempDir(), "log")
	log, err := os.Create(path) //nolint:gosec // a test's own
	require.NoError(t, err)
	s.Log = log
	t.Cleanup(func() {
		_ = log.Close()
		if t.Failed() {
			t.Logf("the end of the log:\n%s", lastLines(t, path))
		}
	})
	return s
}

func lastLines(t *testing.T, path string) string {
	t.Helper()
	const most = 40
	text, err := os.ReadFile(path) //nolint:gosec // a test's own
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}

// proxy is one before an address, until the test ends.
func proxy(t *testing.T, address string) *tcpproxy.Proxy {
	t.Helper()
	p, err := tcpproxy.Open(address)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

// store is a proxy before the store, and the setting by which a part goes through it.
func (s *scene) store() (*tcpproxy.Proxy, string) {
	s.t.Helper()
	u, err := url.Parse(s.stateURL)
	require.NoError(s.t, err)
	p := proxy(s.t, u.Host)
	u.Host = p.Address()
	return p, "HOLDFAST_STATE_URL=" + u.String()
}

// temporal is a proxy before Temporal, and the setting by which a part goes through it.
func (s *scene) temporal() (*tcpproxy.Proxy, string) {
	s.t.Helper()
	p := proxy(s.t, s.Temporal.Address)
	return p, "HOLDFAST_TEMPORAL_ADDRESS=" + p.Address()
}

// isFile reports a store that is not reached through a network.
func (s *scene) isFile() bool { return strings.HasPrefix(s.stateURL, "sqlite:") }

// pause stops the process, whatever it does; but not while it writes to a file, which would keep everybody out of it.
func (s *scene) pause(p *processes.Part) {
	s.t.Helper()
	const patience = "500" // in ms
	p.Pause()
	if !s.isFile() {
		return
	}
	db, err := sql.Open("sqlite", strings.TrimPrefix(s.stateURL, "sqlite:")+"?_txlock=immediate&_pragma=busy_timeout("+patience+")")
	require.NoError(s.t, err)
	defer db.Close() //nolint:errcheck // nothing is lost with it
	eventually(s.t, "it was paused outside of a transaction", func() bool {
		tx, err := db.BeginTx(s.t.Context(), nil)
		if err == nil {
			return tx.Rollback() == nil
		}
		p.Wake()
		p.Pause()
		return false
	})
}

// gate is one of package exact.
type gate struct {
	t   *testing.T
	dir string
}

func newGate(t *testing.T) *gate {
	t.Helper()
	return &gate{t: t, dir: t.TempDir()}
}

// arrived waits until a function waits at the gate in this process.
func (g *gate) arrived(at *processes.Part) {
	g.t.Helper()
	eventually(g.t, "a function waits at the gate", func() bool {
		_, err := os.Stat(filepath.Join(g.dir, strconv.Itoa(at.PID())))
		return err == nil
	})
}

func (g *gate) open() {
	g.t.Helper()
	require.NoError(g.t, os.WriteFile(filepath.Join(g.dir, "open"), nil, 0o600))
}

// eventually waits for what other processes do.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	const patience, look = 5 * time.Minute, 5 * time.Millisecond
	require.Eventually(t, condition, patience, look, what)
}

// sideBySide runs subtests really all at once. (t.Parallel would run as many as there are processors.)
func sideBySide(t *testing.T, tests map[string]func(*testing.T)) {
	t.Helper()
	var all sync.WaitGroup
	for name, test := range tests {
		all.Go(func() { t.Run(name, test) })
	}
	all.Wait()
}
