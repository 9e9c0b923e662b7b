package redis_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// BenchmarkSection shows what a section costs through the whole state service, by how the server keeps its writes.
func BenchmarkSection(b *testing.B) {
	app := statetest.Counting{}.App()
	for name, open := range map[string]func() state.Driver{
		"memory":       func() state.Driver { return memory.New() },
		"redis-nofile": func() state.Driver { return open(b, redistest.Start(b, "--appendonly", "no").URL(), redis.Options{}) },
		"redis-everysec": func() state.Driver {
			return open(b, redistest.Start(b, "--appendfsync", "everysec").URL(), redis.Options{})
		},
		"redis-always":  func() state.Driver { return open(b, redistest.Start(b).URL(), redis.Options{}) },
		"redis-cluster": func() state.Driver { return open(b, redistest.StartCluster(b).URL(), redis.Options{}) },
	} {
		b.Run(name, func(b *testing.B) {
			service := state.Open(open(), state.Options{})
			defer service.Close()
			section := func(_ *holdfast.Tx, s *statetest.Count) error { s.N++; return nil }
			for b.Loop() {
				require.NoError(b, service.Do(b.Context(), app, "test-one", section))
			}
		})
	}
}
