package sqlite_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/sqlite"
	"github.com/holdfast-run/holdfast/state/statetest"
)

func open(t testing.TB, path string) *sqlite.Driver {
	t.Helper()
	driver, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = driver.Close() })
	return driver
}

func TestConformance(t *testing.T) {
	t.Parallel()
	report := statetest.Run(t, func(t testing.TB) statetest.Store { //nolint:thelper // a step of the test
		path := filepath.Join(t.TempDir(), "state.db")
		return statetest.Store{Shared: true, Clock: runtime.GOOS == "linux", Open: func(t testing.TB) state.Driver { //nolint:thelper // as above
			return open(t, path)
		}}
	})
	for name, lacks := range report.Skipped {
		require.NotEqual(t, "linux", runtime.GOOS, "%s is skipped, although SQLite lacks nothing on Linux", name)
		require.Equal(t, statetest.StoreClock, lacks, "%s is skipped, although SQLite lacks nothing but a clock of its own", name)
	}
}
