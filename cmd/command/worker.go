package command

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/worker"
)

func (p *Program) worker() *cobra.Command {
	return p.command("worker", "Run tasks and sections", `Run tasks and their sections. Any number of workers share the work; each hosts all apps.

On SIGTERM a worker takes no more work and waits worker.stop_timeout for the sections that run; what did not finish is done by
another worker, exactly once.`, p.runWorker, "temporal", "state", "section", "session", "changes", "messages", "worker", "log")
}

func (p *Program) runWorker(ctx context.Context, c config.Config) (err error) {
	o, err := p.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	fatal := make(chan error, 1)
	w, err := worker.New(o.temporal, o.state, worker.Options{
		Apps:        p.Apps,
		TaskQueue:   c.Temporal.TaskQueue,
		StopTimeout: c.Worker.StopTimeout,
		OnFatal: func(err error) {
			select {
			case fatal <- err:
			default: // one is enough
			}
		},
	})
	if err != nil {
		return err
	}
	if err := o.await(ctx, "the worker's first poll", always, w.Start); err != nil {
		return err
	}
	defer w.Stop()
	fmt.Fprintf(p.Stdout, "Ready: task queue %s of namespace %s.\n", c.Temporal.TaskQueue, c.Temporal.Namespace)
	select {
	case <-ctx.Done():
		return nil
	case err := <-fatal:
		return fmt.Errorf("the worker cannot go on: %w", err)
	}
}
