package activities_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

const secret = "dial tcp 10.0.0.1: password authentication failed for user x"

func full(*holdfast.Tx, *State) error {
	return fmt.Errorf("%s: %w", secret, holdfast.Reject("no more seats"))
}

func declined(*holdfast.Tx, *State) error {
	return temporal.NewApplicationErrorWithCause("declined", "Declined", holdfast.Reject("no more seats"))
}

func novel(*holdfast.Tx, *State) error {
	return fmt.Errorf("%s: %w", strings.Repeat("x", 5<<20), errors.New(strings.Repeat("y", 5<<20)))
}

func novelPanic(*holdfast.Tx, *State) error { panic(novel(nil, nil)) }

func TestReject_OfASectionIsItsSentence(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{"full": wire.ErrorRejected, "declined": "Declined"} {
		b := newBench(t, full, declined)
		_, err := b.section(name, "1", "")
		var failure *temporal.ApplicationError
		require.ErrorAs(t, err, &failure)
		require.Equal(t, kind, failure.Type())
		require.True(t, failure.NonRetryable())
		for failure.Type() != wire.ErrorRejected {
			require.ErrorAs(t, failure.Unwrap(), &failure)
		}
		require.Equal(t, "no more seats", failure.Message())
		require.NotContains(t, err.Error(), "dial tcp")
	}
}

func TestReject_OfAnActivityIsNotRetried(t *testing.T) {
	t.Parallel()
	for _, fn := range []any{
		func(context.Context) error { return full(nil, nil) },
		func() error { return full(nil, nil) },
		func(context.Context) (int, error) { return 0, full(nil, nil) },
	} {
		b := newBench(t)
		app := holdfast.NewApp("step", State{})
		app.Activities(holdfast.Named("Book", fn))
		require.NoError(t, activities.New(b.service).Register(b, app))
		_, err := b.ExecuteActivity("step.Book")
		var failure *temporal.ApplicationError
		require.ErrorAs(t, err, &failure)
		require.Equal(t, wire.ErrorRejected, failure.Type())
		require.Equal(t, "no more seats", failure.Message())
		require.True(t, failure.NonRetryable())
	}
}

func TestReport_BoundsWhatTemporalGets(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"novel", "novelPanic"} {
		b := newBench(t, novel, novelPanic)
		_, err := b.section(name, "1", "")
		require.Error(t, err)
		size := temporal.GetDefaultFailureConverter().ErrorToFailure(err).Size()
		require.Less(t, size, 256<<10, name)
	}
}

func TestTaskEnded_TellsThePageWhatIsShown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var told holdfast.Failure
	b := newBench(t)
	b.app.OnError(func(_ context.Context, f holdfast.Failure) { told = f })
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(&out, nil))))
	b.TestActivityEnvironment = suite.NewTestActivityEnvironment()
	activities.New(b.service, b.app).RegisterLifecycle(b)
	in := wire.TaskEndedInput{Session: string(session), Failure: secret, Shown: "Task failed (default-)", Kind: wire.ErrorSection}
	_, err := b.ExecuteActivity(wire.TaskEnded, in)
	require.NoError(t, err)
	require.Equal(t, secret, told.Message)
	require.Equal(t, "default-", told.ID)
	require.Contains(t, out.String(), "id=default- kind=SectionError err=\""+secret)
}
