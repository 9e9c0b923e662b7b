package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state/sqlite"
)

func TestDurability_FollowsTheOptions(t *testing.T) {
	t.Parallel()
	for i, full := range []bool{false, true} {
		d, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{FullSync: full})
		require.NoError(t, err)
		row, err := d.Durability(t.Context())
		require.NoError(t, err)
		require.Equal(t, sqlite.Durabilities()[i], row)
		require.NoError(t, d.Close())
	}
}
