package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// BenchmarkSection shows what a section costs through the whole state service, on each driver in one run.
func BenchmarkSection(b *testing.B) {
	app := statetest.Counting{}.App()
	for name, open := range map[string]func() state.Driver{
		"memory": func() state.Driver { return memory.New() },
		"sqlite": func() state.Driver { return open(b, filepath.Join(b.TempDir(), "state.db")) },
	} {
		b.Run(name, func(b *testing.B) {
			service := state.Open(open(), state.Options{})
			defer service.Close()
			for b.Loop() {
				require.NoError(b, service.Do(b.Context(), app, "test-one", func(_ *holdfast.Tx, s *statetest.Count) error { s.N++; return nil }))
			}
		})
	}
}
