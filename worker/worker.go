// Package worker hosts the tasks and sections of apps on a Temporal task queue.
package worker

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/workflows"
)

// Options say what a worker hosts.
type Options struct {
	// Apps are the apps whose tasks and sections run here. At least one.
	Apps []*holdfast.App
	// TaskQueue is where the tasks are taken from; the starter must name the same. Defaults to "holdfast".
	TaskQueue string
	// StopTimeout is how long Stop waits for sections that are running. Defaults to 3 s.
	StopTimeout time.Duration
	// ActivitySlots, LocalActivitySlots and WorkflowSlots are how many sections and activities, inline sections, and turns of workflows
	// run here at a time. Default to 1000; WorkflowSlots is at least 2.
	ActivitySlots, LocalActivitySlots, WorkflowSlots int
	// ActivityPollers and WorkflowPollers are how many polls are open at a time; WorkflowPollers is not 1. 0: as many as the server
	// suggests, five at first (see docs.temporal.io/develop/worker-performance).
	ActivityPollers, WorkflowPollers int
	// OnFatal is called when the worker cannot go on, such as after its namespace was deleted. May be nil.
	OnFatal func(error)
}

// Worker runs tasks and sections. Its methods are safe for concurrent use.
type Worker struct {
	build func() (sdkworker.Worker, error)

	mu      sync.Mutex // protects all that follows
	worker  sdkworker.Worker
	failed  bool // its start, which the SDK's worker does not try again
	stopped bool
}

// New returns a worker that takes tasks from Temporal and state from the service. It reports what is wrong with any app.
func New(c client.Client, service *state.Service, o Options) (*Worker, error) {
	if len(o.Apps) == 0 {
		return nil, errors.New("worker: there is no app to host")
	}
	if o.TaskQueue == "" {
		o.TaskQueue = "holdfast"
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = 3 * time.Second
	}
	w := &Worker{build: func() (sdkworker.Worker, error) { return build(c, service, o) }}
	var err error
	w.worker, err = w.build()
	return w, err
}

func build(c client.Client, service *state.Service, o Options) (sdkworker.Worker, error) {
	acts := activities.New(service, o.Apps...)
	options := sdkworker.Options{
		WorkerStopTimeout: o.StopTimeout,
		OnFatalError:      o.OnFatal,

		MaxConcurrentActivityExecutionSize:      o.ActivitySlots,
		MaxConcurrentLocalActivityExecutionSize: o.LocalActivitySlots,
		MaxConcurrentWorkflowTaskExecutionSize:  o.WorkflowSlots,
		ActivityTaskPollerBehavior:              pollers(o.ActivityPollers),
		WorkflowTaskPollerBehavior:              pollers(o.WorkflowPollers),
	}
	Prepare(&options)
	w := sdkworker.New(c, o.TaskQueue, options)
	return w, register(w, acts, o.Apps)
}

// pollers is n of them, or as many as the server suggests. The SDK's own default is two, of which each serves new workflows and those
// that the worker knows by turns: when the server comes back from an outage, new ones can wait for a quarter of a minute.
func pollers(n int) sdkworker.PollerBehavior {
	if n > 0 {
		return sdkworker.NewPollerBehaviorSimpleMaximum(sdkworker.PollerBehaviorSimpleMaximumOptions{MaximumNumberOfPollers: n})
	}
	return sdkworker.NewPollerBehaviorAutoscaling(sdkworker.PollerBehaviorAutoscalingOptions{})
}

// cancelWithin is how often a running activity can hear that it is cancelled.
const cancelWithin = 700 * time.Millisecond

// Prepare completes the options of a worker of one's own, on which [Register] registers apps; [New] does so itself. Without it
// tasks run, but a panic in a coroutine of a task blocks it, update handlers cannot use package workflows, a dead worker is not
// noticed before an activity's StartToCloseTimeout, and a cancellation reaches no running activity that does not beat.
//
// It appends interceptors, and sets MaxHeartbeatThrottleInterval and DefaultHeartbeatThrottleInterval to 700 ms where they
// are not set: the SDK's own are a minute and 30 s, and a cancellation reaches an activity in the answer to a beat. Each running
// activity costs the server about 1.4 calls a second then.
//
// All workers of a task queue must be prepared, or none: a task that was served by a prepared worker waits on another one until
// a prepared one takes it. A test environment takes the options by SetWorkerOptions, and a replayer the Interceptors.
func Prepare(o *sdkworker.Options) {
	o.Interceptors = append(o.Interceptors, workflows.Interceptor(), activities.Interceptor())
	if o.MaxHeartbeatThrottleInterval == 0 {
		o.MaxHeartbeatThrottleInterval = cancelWithin
	}
	if o.DefaultHeartbeatThrottleInterval == 0 {
		o.DefaultHeartbeatThrottleInterval = cancelWithin
	}
}

// Register registers the apps' tasks and sections with any registry of the SDK: for a worker of one's own that hosts
// other workflows as well, or a test environment. Complete the worker's options with [Prepare].
func Register(registry sdkworker.Registry, service *state.Service, apps ...*holdfast.App) error {
	return register(registry, activities.New(service, apps...), apps)
}

func register(registry sdkworker.Registry, acts *activities.Activities, apps []*holdfast.App) error {
	acts.RegisterLifecycle(registry)
	for _, app := range apps {
		if err := acts.Register(registry, app); err != nil {
			return fmt.Errorf("worker: %w", err)
		}
		if err := workflows.Register(registry, app); err != nil {
			return fmt.Errorf("worker: %w", err)
		}
	}
	return nil
}

// Start begins to take tasks and returns when it does. The error is that of a server that cannot be reached, or is not ready; Start may
// be called again then.
func (w *Worker) Start() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed && !w.stopped {
		fresh, err := w.build()
		if err != nil {
			return err
		}
		w.worker.Stop()
		w.worker = fresh
	}
	err := w.worker.Start()
	w.failed = err != nil
	if err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	return nil
}

// Stop takes no more tasks, waits for the sections that are running as long as the stop time-out allows, and returns. What
// did not finish is done again elsewhere, exactly once. It may be called again.
func (w *Worker) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.stopped = true
		w.worker.Stop()
	}
}
