package memory_test

import (
	"testing"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/state/statetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	statetest.Run(t, func(testing.TB) statetest.Store {
		return statetest.Store{Open: func(testing.TB) state.Driver { return memory.New() }}
	})
}
