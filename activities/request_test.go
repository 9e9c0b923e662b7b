package activities_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/internal/wire"
)

func ring(*holdfast.Tx, *State, string) error { return nil }

// TestRequest_ThatCanNeverSucceedIsFinal: to try it again would keep the task waiting for ever.
func TestRequest_ThatCanNeverSucceedIsFinal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.app.Events(ring)
	require.NoError(t, b.app.Check())
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	activities.New(b.service, b.app).RegisterLifecycle(env)
	large, err := json.Marshal(strings.Repeat("<", holdfast.MaxArgument/5))
	require.NoError(t, err)
	_, err = env.ExecuteActivity(wire.Request, wire.RequestInput{Session: string(session), Chain: "run", Position: "1", Event: "ring", Argument: large})
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, wire.ErrorBadArgument, failure.Type())
	require.True(t, failure.NonRetryable())
	rows, err := b.service.Outbox(t.Context(), 1)
	require.NoError(t, err)
	require.Empty(t, rows)
}
