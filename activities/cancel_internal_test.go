package activities

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// TestWrap_EndsARefusedActivityAsCancelled: the session refuses a task that is being cancelled before Temporal has told its
// activity.
func TestWrap_EndsARefusedActivityAsCancelled(t *testing.T) {
	t.Parallel()
	refused := temporal.NewNonRetryableApplicationError("the task is being cancelled", wire.ErrorTaskEnded, nil)
	other := errors.New("no more seats")
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), beatsKey{}, &beats{}))
	run := func(ctx context.Context, err error) error {
		got, _ := reflect.TypeAssert[error](cancelled(reflect.ValueOf(ctx), reflect.ValueOf(&err).Elem()))
		return got
	}
	require.ErrorIs(t, run(ctx, other), other, "only a refusal is waited with")
	require.NoError(t, run(ctx, nil))
	require.ErrorIs(t, run(t.Context(), refused), refused, "without beats nothing tells the activity")

	ended := make(chan error)
	go func() { ended <- run(ctx, refused) }()
	cancel() // Temporal delivers the cancellation
	require.True(t, temporal.IsCanceledError(<-ended))
	require.ErrorIs(t, run(ctx, other), other, "an error of its own stays")
}
