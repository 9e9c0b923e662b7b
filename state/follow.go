package state

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
)

// Update is what a reader gets next: a snapshot or a change, the other is nil.
type Update struct {
	Snapshot *Snapshot
	Change   *Change
}

// Reader follows one session: it gives every change after its position in order, or a snapshot where the log cannot.
// A reader pulls, so a slow one delays nobody and costs no memory. It is used by one goroutine at a time.
type Reader struct {
	service *Service
	app     *holdfast.App
	session holdfast.SessionID
	at      *Position // up to which the reader has everything; nil: it has nothing
	ready   []Change
}

// batch is how many changes a reader takes from the log at a time.
const batch = 64

// Follow returns a reader of the session. With a position it goes on from there; without one (nil) it begins with a
// snapshot. Close must be called.
func (s *Service) Follow(app *holdfast.App, session holdfast.SessionID, after *Position) *Reader {
	s.hub.join(session)
	return &Reader{service: s, app: app, session: session, at: after}
}

// Close ends the following. The reader must not be used afterwards.
func (r *Reader) Close() { r.service.hub.leave(r.session) }

// Next waits for the next update, until ctx ends. After another error it may be called again.
func (r *Reader) Next(ctx context.Context) (Update, error) {
	for {
		if len(r.ready) > 0 {
			return r.give(), nil
		}
		changed := r.service.hub.changed(r.session)
		update, found, err := r.read(ctx)
		if err != nil {
			return Update{}, fmt.Errorf("follow session %s: %w", r.session, err)
		}
		if found {
			return update, nil
		}
		if len(r.ready) > 0 {
			continue
		}
		if err := r.pause(ctx, changed); err != nil {
			return Update{}, err
		}
	}
}

// read fills r.ready, or gives a snapshot where that cannot be.
func (r *Reader) read(ctx context.Context) (Update, bool, error) {
	if r.at != nil {
		changes, err := r.service.driver.Changes(ctx, r.session, *r.at, batch)
		if err == nil {
			r.ready = changes
			return Update{}, false, nil
		}
		if !errors.Is(err, ErrGap) {
			return Update{}, false, err
		}
	}
	snapshot, err := r.service.snapshot(ctx, r.app, r.session, r.at)
	if err != nil {
		return Update{}, false, err
	}
	r.at = &snapshot.Position
	return Update{Snapshot: snapshot}, true, nil
}

func (r *Reader) give() Update {
	change := r.ready[0]
	r.ready = r.ready[1:]
	r.at = &Position{Epoch: r.at.Epoch, Revision: change.Revision}
	return Update{Change: &change}
}

func (r *Reader) pause(ctx context.Context, changed <-chan struct{}) error {
	look := time.NewTimer(r.service.opts.Look)
	defer look.Stop()
	select {
	case <-changed:
	case <-look.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// Snapshot returns what the session's client may see at present.
func (s *Service) Snapshot(ctx context.Context, app *holdfast.App, session holdfast.SessionID) (*Snapshot, error) {
	return s.snapshot(ctx, app, session, nil)
}

func (s *Service) snapshot(ctx context.Context, app *holdfast.App, session holdfast.SessionID, after *Position) (*Snapshot, error) {
	record, messages, err := s.driver.Load(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("read the session: %w", err)
	}
	views, err := app.Visible(record.Documents)
	if err != nil {
		return nil, err
	}
	snapshot := &Snapshot{Position: record.Position(), States: views, Tasks: record.Tasks}
	snapshot.Messages = missed(messages, record.Epoch, after)
	return snapshot, nil
}

// missed are the messages from after the position. A reader that found no session yet (the empty epoch) has missed
// all that its first sections said; one of another epoch, or without a position, has missed nothing that was meant for it.
func missed(messages []Message, epoch string, after *Position) []Message {
	if after == nil || (after.Epoch != "" && after.Epoch != epoch) {
		return nil
	}
	var since []Message
	for _, m := range messages {
		if m.Revision > after.Revision {
			since = append(since, m)
		}
	}
	return since
}
