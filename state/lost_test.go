package state_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/sqlite"
)

// TestAReaderIsToldWhenTheStoreHasLostWhatItHad puts back a copy of the store from before the last two changes, as a failover to a
// replica does that lags behind, and goes on from there to the same and to later revisions.
func TestAReaderIsToldWhenTheStoreHasLostWhatItHad(t *testing.T) {
	t.Parallel()
	for later, also := range map[int]string{0: "fewer", 1: "fewer", 2: "as many", 3: "more"} {
		t.Run(also+" changes than before", func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "state.db")
			inStore(t, file, func(b *bench) {
				for range 3 {
					b.apply(increment, "", "")
				}
			})
			copied, err := os.ReadFile(file)
			require.NoError(t, err)
			var at, known state.Position
			inStore(t, file, func(b *bench) {
				for range 2 {
					b.apply(increment, "", "")
				}
				first := b.Follow(b.app, session, nil)
				defer first.Close()
				at = next(t, first).Snapshot.Position
				known = state.Position{Epoch: at.Epoch, Revision: at.Revision} // as a client knows it that keeps no marks
			})
			require.NotEmpty(t, at.Mark)
			inStore(t, file, func(b *bench) {
				b.apply(increment, "", "")
				reader := b.Follow(b.app, session, &at)
				defer reader.Close()
				require.Equal(t, at.Revision+1, next(t, reader).Change.Revision, "nothing is lost yet")
			})

			require.NoError(t, os.WriteFile(file, copied, 0o600))
			inStore(t, file, func(b *bench) {
				for range later {
					b.apply(add, "", "10")
				}
				reader := b.Follow(b.app, session, &at)
				defer reader.Close()
				update := next(t, reader)
				require.NotNil(t, update.Snapshot, "not a change on top of what is no more")
				require.True(t, update.Snapshot.Lost)
				require.Equal(t, at.Revision-2+int64(later), update.Snapshot.Position.Revision)
				b.apply(increment, "", "")
				require.NotNil(t, next(t, reader).Change, "and it goes on from there")
				if later > 2 {
					blind := b.Follow(b.app, session, &known)
					defer blind.Close()
					require.NotNil(t, next(t, blind).Change, "without a mark nothing can be known")
				}
			})
		})
	}
}

// inStore opens the store in the file, and closes it.
func inStore(t *testing.T, file string, use func(*bench)) {
	t.Helper()
	driver, err := sqlite.Open(t.Context(), file, sqlite.Options{})
	require.NoError(t, err)
	service := state.Open(driver, state.Options{Logger: slog.New(slog.DiscardHandler)})
	use(benchOf(t, service))
	require.NoError(t, service.Close())
}
