package memory_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/state/statetest"
)

func TestSectionsNeverOverlap(t *testing.T) {
	t.Parallel()
	service := state.Open(memory.New(), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	counting := statetest.Counting{Callers: 64, Times: 1000}
	require.NoError(t, counting.Run(t.Context(), service))
	n, err := counting.Counted(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, 64_000, n)
}
