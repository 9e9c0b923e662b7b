package tasks

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/workflows"
)

// TestInlineTurn_IsRepeatedAboveItsAcknowledgement loses a workflow task with its inline calls, as when its
// worker dies. The repeat asks none that a call before it has acknowledged.
func TestInlineTurn_IsRepeatedAboveItsAcknowledgement(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex // protects calls and completions
	var calls []wire.SectionInput
	completions := 0
	see := func(_ context.Context, args []any) {
		if in, ok := args[0].(wire.SectionInput); ok {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, in)
		}
	}
	lose := func(ctx context.Context, method string, in, out any, conn *grpc.ClientConn, next grpc.UnaryInvoker, o ...grpc.CallOption) error {
		if strings.HasSuffix(method, "/RespondWorkflowTaskCompleted") {
			mu.Lock()
			completions++
			lost := completions == 2
			mu.Unlock()
			if lost {
				return status.Error(codes.NotFound, "the worker has died")
			}
		}
		return next(ctx, method, in, out, conn, o...)
	}
	task := func(ctx workflow.Context) error {
		workflows.Finally(ctx, ended)
		for range 4 { // each its own workflow task, as the sleep is a timer
			if err := workflows.Times(ctx, 3, 0, count); err != nil {
				return err
			}
			if err := workflows.Sleep(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	}
	app := holdfast.NewApp("tasks", State{})
	app.Tasks(holdfast.Named("Task", task))
	b := newBench(t, benchOptions{calls: lose, interceptors: []interceptor.ClientInterceptor{&watch{see: see}}}, app)
	require.NoError(t, b.start("Task", wire.TaskInput{Inline: true, NapBelow: time.Millisecond}).Get(t.Context(), nil))
	require.Equal(t, 12, b.state().Counter)

	mu.Lock()
	defer mu.Unlock()
	times := map[int64]int{}
	var acknowledged int64
	for _, call := range calls {
		require.Positive(t, call.Ack)
		require.GreaterOrEqual(t, call.Seq, acknowledged, "a call below an earlier acknowledgement was asked again")
		acknowledged = max(acknowledged, call.Ack)
		times[call.Seq]++
	}
	require.Equal(t, 13, len(times))
	require.Equal(t, map[int64]int{1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2, 7: 1, 8: 1, 9: 1, 10: 1, 11: 1, 12: 1, 13: 1}, times)
	require.Equal(t, int64(13), acknowledged)
}
