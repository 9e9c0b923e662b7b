package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/state"
)

// parts are what worker and starter have in common.
type parts struct {
	log      *slog.Logger
	temporal client.Client
	state    *state.Service
}

// open connects to what the program needs, in whatever order it comes up.
func (p *Program) open(ctx context.Context, c config.Config) (_ *parts, err error) {
	o := &parts{log: slog.New(p.handler(c.Log))}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close())
		}
	}()
	if err := checkShared(c.State.URL); err != nil {
		return nil, err
	}
	err = o.await(ctx, "the state at "+redacted(c.State.URL), passing, func() error { return o.openState(ctx, c) })
	if err != nil {
		return nil, err
	}
	err = o.await(ctx, "Temporal at "+c.Temporal.Address, always, func() error { return o.dial(ctx, c) })
	return o, err
}

func (p *Program) handler(c config.Log) slog.Handler {
	options := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.NewJSONHandler(p.Stderr, options)
	}
	return slog.NewTextHandler(p.Stderr, options)
}

// checkShared refuses what two processes cannot share.
func checkShared(url string) error {
	if url == "memory:" {
		return errors.New("state.url is memory:, which ends with one process and is seen by no other; expected one that " +
			"all processes share: sqlite:PATH, postgres://… or redis://…")
	}
	return nil
}

// always is for what may have to be waited for, whatever the error.
func always(error) bool { return true }

// await tries until it succeeds, or fails with an error that does not pass, and says what it waits for.
func (o *parts) await(ctx context.Context, what string, passing func(error) bool, try func() error) error {
	const first, most = 100 * time.Millisecond, 5 * time.Second
	for pause := first; ; pause = min(2*pause, most) {
		err := try()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("stopped while waiting for %s: %w", what, err)
		case !passing(err):
			return err
		}
		o.log.Warn("waiting for "+what, "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)): //nolint:gosec // so that not all try at the same moment; no secret
		}
	}
}

func (o *parts) openState(ctx context.Context, c config.Config) error {
	driver, err := OpenDriver(ctx, c.State.URL, o.log.With("part", "state"))
	if err != nil {
		return err
	}
	o.state = state.Open(driver, state.Options{ //nolint:contextcheck // it lives until it is closed
		Deadline:     c.Section.Deadline,
		KeepChanges:  int64(c.Changes.Keep),
		KeepMessages: int64(c.Messages.Keep),
		ExpireAfter:  c.Session.ExpireAfter,
		Logger:       o.log.With("part", "state"),
	})
	return nil
}

func (o *parts) dial(ctx context.Context, c config.Config) (err error) {
	o.temporal, err = client.DialContext(ctx, client.Options{
		HostPort:  c.Temporal.Address,
		Namespace: c.Temporal.Namespace,
		Logger:    SDKLogger(o.log),
	})
	return err //nolint:wrapcheck // await says what it waits for
}

// close closes what open has opened.
func (o *parts) close() error {
	if o.temporal != nil {
		o.temporal.Close()
	}
	if o.state != nil {
		return o.state.Close()
	}
	return nil
}
