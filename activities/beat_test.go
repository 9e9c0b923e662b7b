package activities_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// capture is an interceptor that sees each beat before the SDK holds it back.
type capture struct {
	interceptor.WorkerInterceptorBase
	beats chan []any
}

func (c *capture) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &captureIn{interceptor.ActivityInboundInterceptorBase{Next: next}, c}
}

type captureIn struct {
	interceptor.ActivityInboundInterceptorBase
	capture *capture
}

func (c *captureIn) Init(out interceptor.ActivityOutboundInterceptor) error {
	return c.Next.Init(&captureOut{interceptor.ActivityOutboundInterceptorBase{Next: out}, c.capture})
}

type captureOut struct {
	interceptor.ActivityOutboundInterceptorBase
	capture *capture
}

func (c *captureOut) RecordHeartbeat(_ context.Context, details ...any) { c.capture.beats <- details }

// run runs an activity of an app with the interceptors.
func (c *capture) run(t *testing.T, fn func(context.Context) error, before ...any) {
	t.Helper()
	c.runAny(t, fn, before)
}

// runAny is run for an activity of any signature; before are details of the attempt before.
func (c *capture) runAny(t *testing.T, fn any, before []any, args ...any) {
	t.Helper()
	app := holdfast.NewApp("test", State{})
	app.Activities(holdfast.Named("work", fn))
	service := state.Open(memory.New(), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: []interceptor.WorkerInterceptor{c, activities.Interceptor()}})
	require.NoError(t, activities.New(service, app).Register(env, app))
	if len(before) > 0 {
		env.SetHeartbeatDetails(before[0])
	}
	_, err := env.ExecuteActivity("test.work", args...)
	require.NoError(t, err)
}

func TestActivity_WorkerBeatsForIt(t *testing.T) {
	t.Parallel()
	c := &capture{beats: make(chan []any, 100)}
	c.run(t, func(context.Context) error {
		require.Empty(t, <-c.beats)
		require.Empty(t, <-c.beats)
		return nil
	})
}

func TestActivity_WorkerRepeatsItsDetails(t *testing.T) {
	t.Parallel()
	c := &capture{beats: make(chan []any, 100)}
	c.run(t, func(ctx context.Context) error {
		activity.RecordHeartbeat(ctx, "page", 7)
		require.Equal(t, []any{"page", 7}, <-c.beats)
		require.Equal(t, []any{"page", 7}, <-c.beats, "a beat of the worker's")
		return nil
	})
}

func TestActivity_WorkerKeepsTheDetailsOfTheAttemptBefore(t *testing.T) {
	t.Parallel()
	c := &capture{beats: make(chan []any, 100)}
	c.run(t, func(context.Context) error {
		beat := <-c.beats
		require.Len(t, beat, 1)
		raw, ok := beat[0].(converter.RawValue)
		require.True(t, ok)
		require.JSONEq(t, `"page 6"`, string(raw.Payload().GetData()))
		return nil
	}, "page 6")
}

func TestActivity_WorkerBeatsForOneWithoutAContext(t *testing.T) {
	t.Parallel()
	c := &capture{beats: make(chan []any, 100)}
	c.runAny(t, func(word string) (string, error) {
		require.Empty(t, <-c.beats)
		return word, nil
	}, nil, "word")
}
