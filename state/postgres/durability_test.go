package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state/postgres"
)

// testDurabilityFollowsTheSettings of the server, which for tests may not wait for its disk.
func testDurabilityFollowsTheSettings(t *testing.T, address string) {
	fsync := ask(t, connected(t, address), "SELECT (current_setting('fsync') = 'on')::int") == 1
	for i, value := range []string{"on", "", "off"} {
		if value == "" {
			continue // standbys are a setting of the whole server
		}
		sql(t, address, readOnly("SET synchronous_commit = "+value))
		row, err := open(t, address).Durability(t.Context())
		require.NoError(t, err)
		if !fsync {
			i = 3
		}
		require.Equal(t, postgres.Durabilities()[i], row)
	}
}
