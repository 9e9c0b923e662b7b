// Package allinone runs apps with everything they need in one process: an embedded Temporal server with its Web UI, the
// state service on SQLite, a worker, and a starter with the pages. It is for development; nothing in it is safe to expose to
// a network, and all of it listens on the loopback interface alone.
//
// An author runs an app of his own with
//
//	func main() { allinone.Main(myapp.App()) }
package allinone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/config"
)

// Main runs the apps until the process is interrupted, and exits; without any, Temporal and its Web UI alone. It reads flags, HOLDFAST_
// variables and holdfast.yaml; see package config. A first interrupt stops in good order, a second one at once.
func Main(apps ...*holdfast.App) {
	err := run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr, apps)
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args, environ []string, stdout, stderr io.Writer, apps []*holdfast.App) error {
	cfg, given, err := configure(args, environ, stdout)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(handler(stderr, cfg.Log))
	program, err := Start(ctx, Options{Apps: apps, Config: cfg, Given: given.Given, Logger: logger})
	if err != nil {
		return err
	}
	program.announce(stdout)
	<-ctx.Done()
	stop() // a second interrupt ends the process in the ordinary way
	fmt.Fprintln(stdout, "Stopping; what runs goes on at the next start.")
	return program.Stop()
}

// configure reads the settings of everything that runs here, or writes how to give them.
func configure(args, environ []string, help io.Writer) (config.Config, config.Sources, error) {
	flags := pflag.NewFlagSet("dev", pflag.ContinueOnError)
	flags.SetOutput(help)
	flags.SortFlags = false
	config.Flags(flags, "dev", "starter", "state", "section", "session", "changes", "messages", "worker", "log")
	if err := flags.Parse(args); err != nil {
		return config.Config{}, nil, config.FlagError(flags, err)
	}
	if flags.NArg() > 0 {
		return config.Config{}, nil, fmt.Errorf("unexpected argument %q; settings are given as flags, see --help", flags.Arg(0))
	}
	return config.LoadSources(config.Source{Flags: flags, Environ: environ})
}

func handler(w io.Writer, c config.Log) slog.Handler {
	options := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}
