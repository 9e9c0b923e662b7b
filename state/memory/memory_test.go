package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/state/statetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	report := statetest.Run(t, func(testing.TB) statetest.Store {
		return statetest.Store{Open: func(testing.TB) state.Driver { return memory.New() }}
	})
	for name, lacks := range report.Skipped {
		require.Equal(t, statetest.SharedStore, lacks, "%s is skipped, although memory lacks nothing but a second process", name)
	}
}
