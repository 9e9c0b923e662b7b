package activities_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

func TestFault_IsRetriedAtARandomTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	broken := state.Open(memory.New(), state.Options{})
	require.NoError(t, broken.Close())
	waits := map[time.Duration]bool{}
	for range 8 {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		b.TestActivityEnvironment = suite.NewTestActivityEnvironment()
		require.NoError(t, activities.New(broken).Register(b, b.app))
		_, err := b.section("add", "1", "3")
		var fault *temporal.ApplicationError
		require.True(t, errors.As(err, &fault))
		require.Equal(t, wire.ErrorFault, fault.Type())
		require.False(t, fault.NonRetryable())
		require.Positive(t, fault.NextRetryDelay())
		require.LessOrEqual(t, fault.NextRetryDelay(), 100*time.Millisecond)
		waits[fault.NextRetryDelay()] = true
	}
	require.Greater(t, len(waits), 1)
}
