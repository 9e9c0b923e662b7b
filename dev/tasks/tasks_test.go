// Package tasks tests what package workflows promises of tasks on a real Temporal server.
package tasks

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/dev/embedded"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/worker"
)

const session = holdfast.SessionID("tasks-abc")

// State is what the tasks work on.
type State struct {
	Counter int      `json:"counter"`
	Log     []string `json:"log"`
}

func note(_ *holdfast.Tx, s *State, line string) error { s.Log = append(s.Log, line); return nil }
func count(_ *holdfast.Tx, s *State, _ int) error      { s.Counter++; return nil }
func ended(_ *holdfast.Tx, s *State) error             { s.Log = append(s.Log, "ended"); return nil }
func endless(_ *holdfast.Tx, s *State) (bool, error)   { s.Counter++; return true, nil }

// bench is an app with a server, a worker and a state service in memory of its own.
type bench struct {
	t       *testing.T
	server  *embedded.Server
	client  client.Client
	app     *holdfast.App
	service *state.Service
}

type benchOptions struct {
	interceptors []interceptor.ClientInterceptor // that are worker interceptors as well
	calls        grpc.UnaryClientInterceptor     // sees each call to the server; may be nil
	config       map[string]any
	driver       state.Driver // nil: in memory
	worker       worker.Options
}

// newBench has the app's tasks run. Activities may be nil.
func newBench(t *testing.T, o benchOptions, app *holdfast.App) *bench {
	t.Helper()
	app.Sections(note, count, ended, endless)
	quiet := slog.New(slog.DiscardHandler)
	if o.driver == nil {
		o.driver = memory.New()
	}
	b := &bench{t: t, app: app, service: state.Open(o.driver, state.Options{Logger: quiet})}
	t.Cleanup(func() { require.NoError(t, b.service.Close()) })
	var err error
	b.server, err = embedded.Start(t.Context(), embedded.Options{DynamicConfig: o.config})
	require.NoError(t, err)
	t.Cleanup(b.server.Stop)
	options := client.Options{
		HostPort: b.server.Address(), Namespace: b.server.Namespace(), Interceptors: o.interceptors,
		Logger: sdklog.NewStructuredLogger(quiet),
	}
	if o.calls != nil {
		options.ConnectionOptions.DialOptions = []grpc.DialOption{grpc.WithChainUnaryInterceptor(o.calls)}
	}
	b.client, err = client.Dial(options)
	require.NoError(t, err)
	t.Cleanup(b.client.Close)
	o.worker.Apps = []*holdfast.App{app}
	w, err := worker.New(b.client, b.service, o.worker)
	require.NoError(t, err)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return b
}

// start starts a task as the starter does.
func (b *bench) start(task string, in wire.TaskInput) client.WorkflowRun {
	b.t.Helper()
	in.Session, in.Level = string(session), wire.Level
	timeout := 10 * time.Second
	if in.Inline {
		timeout = 2 * time.Second
	}
	options := client.StartWorkflowOptions{ID: b.app.Name() + "." + task + "-abc-1", TaskQueue: "holdfast", WorkflowTaskTimeout: timeout}
	run, err := b.client.ExecuteWorkflow(b.t.Context(), options, b.app.Name()+"."+task, in)
	require.NoError(b.t, err)
	return run
}

func (b *bench) state() (s State) {
	b.t.Helper()
	require.NoError(b.t, b.service.View(b.t.Context(), b.app, session, func(_ *holdfast.Tx, now *State) error { s = *now; return nil }))
	return s
}

// watch is an interceptor that sees each activity, local or not, before it runs.
type watch struct {
	interceptor.InterceptorBase
	see func(ctx context.Context, args []any)
}

func (w *watch) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &watched{interceptor.ActivityInboundInterceptorBase{Next: next}, w}
}

type watched struct {
	interceptor.ActivityInboundInterceptorBase
	watch *watch
}

func (w *watched) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	w.watch.see(ctx, in.Args)
	return w.Next.ExecuteActivity(ctx, in) //nolint:wrapcheck // it is in between
}
