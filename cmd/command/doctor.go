package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holdfast-run/holdfast/config"
)

func (p *Program) doctor() *cobra.Command {
	return p.command("doctor", "Check what the programs need, and measure the server's timers",
		`Check, with the settings of a worker or starter, everything that these need: the state, Temporal, its namespace and search
attributes, whether workers poll the task queue, and whether the sessions' lists of tasks are true. Measure how late the server's timers are, and say which starter.nap_below fits.

Nothing is waited for. What is missing is an error; with --setup the namespace and the search attributes are created. For the
timers it runs one workflow, on a task queue of its own.`, p.runDoctor, "temporal", "state", "starter", "log")
}

// finding is what one check came to.
type finding struct {
	about, says string
	err         error
}

// doctor collects findings, and prints each as it comes.
type doctor struct {
	*parts
	program *Program
	config  config.Config
	wrong   int
}

func (p *Program) runDoctor(ctx context.Context, c config.Config) (err error) {
	d := &doctor{parts: &parts{log: slog.New(p.handler(c.Log))}, program: p, config: c}
	defer func() { err = errors.Join(err, d.close()) }() //nolint:contextcheck // the end comes after ctx's
	for _, check := range []func(context.Context) finding{d.checkState, d.checkDurability, d.checkTemporal} {
		d.print(check(ctx))
	}
	if d.temporal != nil {
		for _, check := range []func(context.Context) finding{d.checkNamespace, d.checkWorkers, d.checkTasks, d.checkTimers} {
			d.print(check(ctx))
		}
	}
	if d.wrong > 0 {
		return fmt.Errorf("%d of the checks failed", d.wrong)
	}
	return nil
}

func (d *doctor) print(f finding) {
	mark, says := "ok   ", f.says
	if f.err != nil {
		d.wrong++
		mark, says = "WRONG", f.err.Error()
	}
	fmt.Fprintf(d.program.Stdout, "%s  %-10s  %s\n", mark, f.about, says)
}

// doctorPatience is how long one check may take.
const doctorPatience = 15 * time.Second

func (d *doctor) checkState(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	f := finding{about: "state"}
	if f.err = checkShared(d.config.State.URL); f.err != nil {
		return f
	}
	if f.err = d.openState(ctx, d.config); f.err != nil {
		return f
	}
	if f.err = d.state.Probe(ctx); f.err != nil { // it opens a connection as well
		return f
	}
	began := time.Now()
	_, f.err = d.state.Outbox(ctx, 1)
	f.says = fmt.Sprintf("%s takes commits, and answers within %s", redacted(d.config.State.URL), time.Since(began).Round(time.Microsecond*10))
	return f
}

// checkDurability says what the state keeps with its present settings. That they cannot be asked for is no fault.
func (d *doctor) checkDurability(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	f := finding{about: "durability", says: "what the state keeps is not known"}
	if d.state == nil {
		return f
	}
	row, says, err := d.state.Durability(ctx)
	switch {
	case err != nil:
		f.says += ": " + err.Error()
	case says:
		f.says = row.String()
	}
	return f
}

func (d *doctor) checkTemporal(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	f := finding{about: "temporal"}
	options, err := d.program.connection(d.config.Temporal)
	if err != nil {
		f.err = err
		return f
	}
	d.address, d.namespace = options.HostPort, options.Namespace
	options.Logger = SDKLogger(d.log)
	if f.err = Encrypt(&options, d.config.Temporal, d.log); f.err != nil {
		return f
	}
	if f.err = d.dial(ctx, options); f.err != nil {
		return f
	}
	info, err := d.temporal.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	encryption := "nothing is encrypted"
	if !d.config.Temporal.EncryptionKeys.IsEmpty() {
		encryption = "what tasks store is encrypted"
	}
	f.says, f.err = fmt.Sprintf("server %s at %s; %s", info.GetServerVersion(), d.address, encryption), err
	return f
}

func (d *doctor) checkNamespace(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	f := finding{about: "namespace", says: d.namespace + " is there, with its search attributes"}
	if !d.config.Temporal.SearchAttributes {
		f.says = d.namespace + " is there; search attributes are off"
	}
	f.err = d.prepare(ctx, d.config.Temporal)
	for d.config.Temporal.Setup && f.err != nil && unprepared(f.err) && wait(ctx, time.Second) { // until the server has heard of what was created
		f.err = d.prepare(ctx, d.config.Temporal)
	}
	return f
}

// wait reports whether the pause passed before ctx ended.
func wait(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

func (d *doctor) checkWorkers(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	queue := d.config.Temporal.TaskQueue
	f := finding{about: "workers"}
	answer, err := d.temporal.WorkflowService().DescribeTaskQueue(ctx, &workflowservice.DescribeTaskQueueRequest{
		Namespace: d.namespace, TaskQueue: &taskqueue.TaskQueue{Name: queue}, TaskQueueType: enums.TASK_QUEUE_TYPE_WORKFLOW,
	})
	f.err = err
	f.says = fmt.Sprintf("%d poll the task queue %s", len(answer.GetPollers()), queue)
	return f
}

func (d *doctor) checkTimers(ctx context.Context) finding {
	f := finding{about: "timers"}
	late, err := measureTimers(ctx, d.temporal)
	if err != nil {
		f.err = err
		return f
	}
	nap := d.config.Starter.NapBelow
	f.says = fmt.Sprintf("%s late; starter.nap_below=%s fits", late.Round(time.Millisecond), nap)
	if fit := napToFit(late); fit != nap {
		f.says = fmt.Sprintf("%s late; starter.nap_below=%s would fit better than %s", late.Round(time.Millisecond), fit, nap)
	}
	return f
}
