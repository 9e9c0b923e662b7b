package workflows

import (
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// Interceptor gives a worker what tasks need beyond their registration; package worker installs it. With it a panic in a
// coroutine of a task (workflow.Go) fails the task as a panic in its function does, and update handlers can call this
// package.
func Interceptor() interceptor.WorkerInterceptor { return &workerInterceptor{} }

type workerInterceptor struct {
	interceptor.WorkerInterceptorBase
}

// InterceptWorkflow is called once for each run of a workflow.
func (*workerInterceptor) InterceptWorkflow(_ workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	return &inbound{WorkflowInboundInterceptorBase: interceptor.WorkflowInboundInterceptorBase{Next: next}, home: &home{}}
}

// home holds the run of a workflow, for handlers: the SDK calls them with a context that is not the task's.
type home struct{ run *run }

type (
	homeKey    struct{}
	handlerKey struct{}
)

// inHandler reports a context of an update handler.
func inHandler(ctx workflow.Context) bool { return ctx.Value(handlerKey{}) != nil }

// settle makes the run known to the handlers of its workflow.
func (r *run) settle(ctx workflow.Context) {
	if h, ok := ctx.Value(homeKey{}).(*home); ok {
		h.run = r
	}
}

type inbound struct {
	interceptor.WorkflowInboundInterceptorBase
	home *home
}

func (i *inbound) Init(out interceptor.WorkflowOutboundInterceptor) error {
	return i.Next.Init(&outbound{interceptor.WorkflowOutboundInterceptorBase{Next: out}})
}

func (i *inbound) ExecuteWorkflow(ctx workflow.Context, in *interceptor.ExecuteWorkflowInput) (any, error) {
	return i.Next.ExecuteWorkflow(workflow.WithValue(ctx, homeKey{}, i.home), in)
}

func (i *inbound) HandleQuery(ctx workflow.Context, in *interceptor.HandleQueryInput) (any, error) {
	if r := i.home.run; r != nil {
		r.reading = true
		defer func() { r.reading = false }()
		ctx = workflow.WithValue(ctx, runKey{}, r)
	}
	return i.Next.HandleQuery(ctx, in)
}

func (i *inbound) ValidateUpdate(ctx workflow.Context, in *interceptor.UpdateInput) error {
	if r := i.home.run; r != nil {
		r.reading = true
		defer func() { r.reading = false }()
		ctx = workflow.WithValue(ctx, runKey{}, r)
	}
	return i.Next.ValidateUpdate(ctx, in)
}

// ExecuteUpdate gives the handler the run, and a context that ends with the task's. A panic in it fails the update.
func (i *inbound) ExecuteUpdate(ctx workflow.Context, in *interceptor.UpdateInput) (result any, err error) {
	r := i.home.run
	if r == nil || r.level < wire.LevelEndsCalls {
		return i.Next.ExecuteUpdate(ctx, in)
	}
	ctx, cancel := workflow.WithCancel(ctx)
	r.handlers = append(r.handlers, cancel)
	if r.body != nil && r.body.Err() != nil {
		cancel()
	}
	ctx = workflow.WithValue(workflow.WithValue(workflow.WithValue(ctx, homeKey{}, i.home), runKey{}, r), handlerKey{}, true)
	defer contain(r.task, &err)
	return i.Next.ExecuteUpdate(ctx, in)
}

type outbound struct {
	interceptor.WorkflowOutboundInterceptorBase
}

// Go contains the panics of a task's coroutines.
func (o *outbound) Go(ctx workflow.Context, name string, f func(workflow.Context)) workflow.Context {
	r, ok := ctx.Value(runKey{}).(*run)
	if !ok {
		return o.Next.Go(ctx, name, f)
	}
	return o.Next.Go(ctx, name, func(ctx workflow.Context) { r.guard(ctx, f) })
}

// guard runs a coroutine. A panic in it ends the task.
func (r *run) guard(ctx workflow.Context, f func(workflow.Context)) {
	err := func() (err error) {
		defer contain(r.task, &err)
		f(ctx)
		return nil
	}()
	if err != nil && r.failed == nil {
		r.failed = err
		r.cancel()
	}
}
