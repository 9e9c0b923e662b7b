package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state/sqlite"
)

func TestOpenRefusesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	files := map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"text": {
			func(t *testing.T, path string) {
				require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("dear diary, ", 500)), 0o600))
			},
			"file is not a database",
		},
		"another program's database": {
			func(t *testing.T, path string) {
				alter(t, path, "CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('Help!')")
			},
			"the file is a database of another program",
		},
		"another program's mark": {
			func(t *testing.T, path string) { alter(t, path, "PRAGMA application_id = 77") },
			"the file is a database of another program",
		},
		"a newer schema": {
			func(t *testing.T, path string) {
				d, err := sqlite.Open(t.Context(), path, sqlite.Options{})
				require.NoError(t, err)
				require.NoError(t, d.Close())
				alter(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
			},
			"the file was written by a newer version of this program: its schema has version 999, this program knows",
		},
		"a damaged file": {
			func(t *testing.T, path string) {
				d, err := sqlite.Open(t.Context(), path, sqlite.Options{})
				require.NoError(t, err)
				require.NoError(t, d.Close())
				text, err := os.ReadFile(path)
				require.NoError(t, err)
				for i := 100; i < len(text); i++ { // past the header
					text[i] ^= 0x5a
				}
				require.NoError(t, os.WriteFile(path, text, 0o600))
			},
			"malformed",
		},
		"a directory": {
			func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) },
			"unable to open database file",
		},
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "state.db")
			file.make(t, path)
			before, _ := os.ReadFile(path)
			_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			require.ErrorContains(t, err, file.want)
			require.ErrorContains(t, err, path)
			after, _ := os.ReadFile(path)
			require.Equal(t, before, after, "the file is left as it was")
		})
	}
	_, err := sqlite.Open(t.Context(), "", sqlite.Options{})
	require.EqualError(t, err, "sqlite: the path is empty")
}

func TestOpenTakesAnyPath(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "50% off? #1", "état & co.db")
	d, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	require.NoError(t, d.Close())
	require.FileExists(t, path)
}

func TestTheFileIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // it has no permission bits
	}
	path := filepath.Join(t.TempDir(), "data", "state.db")
	d, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

// TestManyOpenANewFileAtOnce has them race for the mark and the migrations.
func TestManyOpenANewFileAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			d, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if assert.NoError(t, err) {
				assert.NoError(t, d.Close())
			}
		})
	}
	all.Wait()
}

// alter runs statements on the file as another program would.
func alter(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), statements)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}
