package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// BenchmarkSection shows what a section costs through the whole state service, on each driver in one run. The server is on
// the same machine; "to disk" waits for it at each commit, as a real one does.
func BenchmarkSection(b *testing.B) {
	app := statetest.Counting{}.App()
	for name, open := range map[string]func() state.Driver{
		"memory":            func() state.Driver { return memory.New() },
		"postgres":          func() state.Driver { return open(b, postgrestest.Start(b).URL()) },
		"postgres, to disk": func() state.Driver { return open(b, postgrestest.Start(b, "fsync=on").URL()) },
	} {
		b.Run(name, func(b *testing.B) {
			service := state.Open(open(), state.Options{})
			defer service.Close()
			for b.Loop() {
				err := service.Do(b.Context(), app, "test-one", func(_ *holdfast.Tx, s *statetest.Count) error { s.N++; return nil })
				require.NoError(b, err)
			}
		})
	}
}
