package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/worker"
)

func (p *Program) worker() *cobra.Command {
	return p.command("worker", "Run tasks and sections", `Run tasks and their sections. Any number of workers share the work; each hosts all apps.

On SIGTERM a worker takes no more work and waits worker.stop_timeout for the sections that run; what did not finish is done by
another worker, exactly once.`, p.runWorker, "temporal", "state", "section", "session", "changes", "messages", "worker", "tracing", "log")
}

func (p *Program) runWorker(ctx context.Context, c config.Config) (err error) {
	sdkworker.SetStickyWorkflowCacheSize(c.Worker.StickyCache) // one cache for the process; there is one worker in it
	o, err := p.open(ctx, c, "worker")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }() //nolint:contextcheck // the end comes after ctx's
	fatal := make(chan error, 1)
	options := p.workerOptions(c)
	options.OnFatal = func(err error) {
		select {
		case fatal <- err:
		default: // one is enough
		}
	}
	w, err := worker.New(o.temporal, o.state, options)
	if err != nil {
		return err
	}
	if err := o.await(ctx, "the worker's first poll", unreached, w.Start); err != nil {
		return err
	}
	defer w.Stop()
	o.operator.isReady(o.checkWorker)
	fmt.Fprintf(p.Stdout, "Ready: task queue %s of namespace %s at %s%s\n", c.Temporal.TaskQueue, o.namespace, o.address, o.operator)
	defer o.operator.waitsFor("its end")
	select {
	case <-ctx.Done():
		return nil
	case err := <-fatal:
		return fmt.Errorf("the worker cannot go on: %w", err)
	}
}

func (p *Program) workerOptions(c config.Config) worker.Options {
	return worker.Options{
		Apps:               p.Apps,
		TaskQueue:          c.Temporal.TaskQueue,
		StopTimeout:        c.Worker.StopTimeout,
		ActivitySlots:      c.Worker.ActivitySlots,
		LocalActivitySlots: c.Worker.LocalActivitySlots,
		WorkflowSlots:      c.Worker.WorkflowSlots,
		ActivityPollers:    c.Worker.ActivityPollers,
		WorkflowPollers:    c.Worker.WorkflowPollers,
	}
}
