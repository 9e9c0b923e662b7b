// Package command is the command line of a program that runs apps in production, with a Temporal cluster that exists: its workers and
// its starters, as processes of their own, as many of each as are needed. The program holdfast is made of it and runs the examples. An
// author's own is
//
//	func main() { command.Main("myprogram", myapp.App()) }
//
// Settings come from holdfast.yaml, HOLDFAST_ variables and flags; see package config.
package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/config"
)

// Main runs the command that the process's arguments ask for, and exits. SIGINT and SIGTERM end it in good order, a second one at
// once.
func Main(name string, apps ...*holdfast.App) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	quietLibraries()
	context.AfterFunc(ctx, stop) // a second signal ends the process in the ordinary way
	p := &Program{Name: name, Apps: apps, Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr}
	if err := p.Run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left to be undone
	}
}

// Program is [Main] with everything that it takes from the process, for tests.
type Program struct {
	Name           string
	Apps           []*holdfast.App
	Environ        []string // as os.Environ gives it
	Stdout, Stderr io.Writer
	// Now is the present, by which the doctor tells how old a task is. Defaults to time.Now.
	Now func() time.Time
}

func (p *Program) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// Run runs the command that the arguments ask for until it is done or ctx ends. It is called once.
func (p *Program) Run(ctx context.Context, args []string) error {
	for _, app := range p.Apps { // before anything is started, so that a mistake is told at once
		if err := app.Check(); err != nil {
			return err
		}
	}
	root := &cobra.Command{
		Use:           p.Name,
		Short:         "Durable background tasks behind live web pages",
		Version:       buildVersion(),
		SilenceErrors: true, // Main writes them
		SilenceUsage:  true,
	}
	root.AddCommand(p.worker(), p.starter(), p.codec(), p.doctor(), p.tasks(), p.cancel(), p.health(), p.version()) //nolint:contextcheck // cobra hands ctx to the one that runs
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return config.FlagError(c.Flags(), err) })
	root.SetArgs(args)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	return root.ExecuteContext(ctx) //nolint:wrapcheck // it is the command's own
}

// command makes a command that takes no arguments and has the flags of these sections of the configuration.
func (p *Program) command(use, short, long string, run func(context.Context, config.Config) error, sections ...string) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.NoArgs}
	c.Flags().SortFlags = false
	config.Flags(c.Flags(), sections...)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := config.Load(config.Source{Flags: c.Flags(), Environ: p.Environ})
		if err != nil {
			return err
		}
		return run(c.Context(), cfg)
	}
	return c
}
