package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/state"
)

// tasks lists the tasks of all sessions.
func (p *Program) tasks() *cobra.Command {
	return p.command("tasks", "List the tasks of all sessions",
		`List the tasks of all sessions, the oldest first, with their status: starting, running, cancelling, failed, or stuck, which is one whose
workflow does not move, and why. A task that is stuck ends when it is cancelled, or goes on when workers run whose code fits it.`,
		p.runTasks, "state", "log")
}

// cancel asks for the end of tasks.
func (p *Program) cancel() *cobra.Command {
	c := p.command("cancel TASK...", "Cancel tasks",
		`Ask for the end of the tasks with these ids, as "tasks" lists them. It takes effect as soon as a starter runs and Temporal is there. A task
that is stuck is terminated, and what it had registered with Finally is run for it.`, nil, "state", "log")
	c.Args = cobra.MinimumNArgs(1)
	c.RunE = func(c *cobra.Command, ids []string) error {
		cfg, err := config.Load(config.Source{Flags: c.Flags(), Environ: p.Environ})
		if err != nil {
			return err
		}
		return p.withState(c.Context(), cfg, func(service *state.Service) error {
			errs := make([]error, len(ids))
			for i, id := range ids {
				errs[i] = cancelTask(c.Context(), service, p.Stdout, holdfast.TaskID(id))
			}
			return errors.Join(errs...)
		})
	}
	return c
}

func (p *Program) runTasks(ctx context.Context, c config.Config) error {
	return p.withState(ctx, c, func(service *state.Service) error {
		sessions, err := service.Listed(ctx)
		if err != nil {
			return err
		}
		var all []state.Task
		for _, session := range sessions {
			all = append(all, session.Tasks...)
		}
		slices.SortFunc(all, func(a, b state.Task) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
		return printTasks(p.Stdout, all, p.now())
	})
}

func printTasks(out io.Writer, tasks []state.Task, now time.Time) error {
	const gap = 2
	table := tabwriter.NewWriter(out, 0, 0, gap, ' ', 0)
	fmt.Fprintln(table, "TASK\tSTATUS\tFOR\tERROR")
	for _, t := range tasks {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", t.ID, t.Status, max(now.Sub(t.Since), 0).Round(time.Second), t.Error)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the tasks: %w", err)
	}
	return nil
}

func cancelTask(ctx context.Context, service *state.Service, out io.Writer, id holdfast.TaskID) error {
	session := id.Session()
	if session == "" {
		return fmt.Errorf("%q is not the id of a task", id)
	}
	if err := service.Cancel(ctx, session, state.Key{}, id, "cancelled from the command line"); err != nil {
		return err
	}
	fmt.Fprintln(out, "cancelling", id)
	return nil
}

// withState opens the state for one command.
func (p *Program) withState(ctx context.Context, c config.Config, do func(*state.Service) error) (err error) {
	if err := checkShared(c.State.URL); err != nil {
		return err
	}
	o := &parts{log: slog.New(p.handler(c.Log))}
	defer func() { err = errors.Join(err, o.close()) }() //nolint:contextcheck // the end comes after ctx's
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	if err := o.openState(ctx, c); err != nil {
		return err
	}
	return do(o.state)
}
