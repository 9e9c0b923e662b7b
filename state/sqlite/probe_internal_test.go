package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
)

// TestProbe_FailsWhenTheFileCannotGrow: it stands for a disk that is full.
func TestProbe_FailsWhenTheFileCannotGrow(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), Options{})
	require.NoError(t, err)
	s := state.Open(d, state.Options{})
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Probe(t.Context()))
	_, err = d.writer.ExecContext(t.Context(), "PRAGMA max_page_count = 1") // no less than it has
	require.NoError(t, err)
	fill(t, d)
	require.Eventually(t, func() bool { return s.Probe(t.Context()) != nil }, time.Minute, 10*time.Millisecond)
	require.ErrorContains(t, s.Probe(t.Context()), "database or disk is full")

	_, err = d.writer.ExecContext(t.Context(), "PRAGMA max_page_count = 1000000")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Probe(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
}

// fill uses up the free pages of the file, as commits do.
func fill(t *testing.T, d *Driver) {
	t.Helper()
	for err := error(nil); err == nil; {
		_, err = d.writer.ExecContext(t.Context(), "INSERT INTO presence (session, starter) VALUES (hex(randomblob(2000)), '')")
	}
}
