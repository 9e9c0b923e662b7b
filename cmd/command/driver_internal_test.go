package command

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // to lock the file
)

// TestPassing_WaitsForAFileThatAnotherProcessWrites: a worker or starter that starts meanwhile does not give up.
func TestPassing_WaitsForAFileThatAnotherProcessWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	open := func() *sql.DB {
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	tx, err := open().Begin()
	require.NoError(t, err)
	defer tx.Rollback() //nolint:errcheck // nothing was written
	_, err = tx.Exec("CREATE TABLE one (n)")
	require.NoError(t, err)
	_, err = open().Exec("CREATE TABLE other (n)")
	require.Error(t, err)
	require.True(t, passing(fmt.Errorf("sqlite: open: %w", err)), "%v", err)
	_, err = open().Exec("this is no SQL")
	require.False(t, passing(err), "%v", err)
}
