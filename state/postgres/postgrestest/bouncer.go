package postgrestest

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// settingsOfBouncer are those of a PgBouncer: the server's port, user and password, its own port, and the mode of its pools.
const settingsOfBouncer = `[databases]
* = host=127.0.0.1 port=%d user=%s password='%s'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = %s
`

// Bouncer starts a PgBouncer with that pool_mode in front of the server, which ends with the test, and returns the URL that leads
// through it to where the address leads. Where PgBouncer is not installed the test is skipped, or fails if HOLDFAST_TEST_REQUIRE is
// set.
func (s *Server) Bouncer(t testing.TB, mode, address string) string {
	t.Helper()
	program := pgBouncer(t)
	dir, err := os.MkdirTemp("", "holdfast-pgbouncer-") //nolint:usetesting // another user must be able to get there
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	b := &Server{dir: dir, port: freePort(t)}
	t.Cleanup(b.stop)
	settings := filepath.Join(dir, "pgbouncer.ini")
	require.NoError(t, os.WriteFile(settings, fmt.Appendf(nil, settingsOfBouncer, s.port, User, Password, b.port, mode), 0o600))
	require.NoError(t, giveAway(dir))
	require.NoError(t, giveAway(settings))
	b.launch(t, program, settings)
	u, err := url.Parse(address)
	require.NoError(t, err)
	u.Host = b.Address()
	return u.String()
}
