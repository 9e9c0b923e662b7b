package processes

import (
	"testing"

	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// Store is a database that several machines can share.
type Store struct {
	URL     string
	Restart func() // stops it hard and starts it again
}

// Stores start private servers, by their names. Where one is not installed the test is skipped,
// or fails if HOLDFAST_TEST_REQUIRE is set.
func Stores() map[string]func(testing.TB) *Store {
	return map[string]func(testing.TB) *Store{
		"postgres": func(t testing.TB) *Store {
			t.Helper()
			server := postgrestest.Start(t)
			return &Store{server.URL(), func() { server.Restart(t) }}
		},
		"redis": func(t testing.TB) *Store {
			t.Helper()
			server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
			return &Store{server.URL(), server.Restart}
		},
	}
}

// OnEachStore runs a test on private servers.
func OnEachStore(t *testing.T, test func(*testing.T, *Store)) {
	t.Helper()
	for name, start := range Stores() {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}
