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
// snapshot. Close must be called. Of a session that is not one of the app, Next returns an error that wraps
// [holdfast.ErrBadArgument].
func (s *Service) Follow(app *holdfast.App, session holdfast.SessionID, after *Position) *Reader {
	s.hub.join(session)
	return &Reader{service: s, app: app, session: session, at: after}
}

// Close ends the following. The reader must not be used afterwards.
func (r *Reader) Close() { r.service.hub.leave(r.session) }

// Next waits for the next update, until ctx ends. After another error it may be called again.
func (r *Reader) Next(ctx context.Context) (Update, error) {
	if err := checkSession(r.app, r.session); err != nil {
		return Update{}, fmt.Errorf("follow: %w", err)
	}
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
	var err error
	if r.at != nil {
		r.ready, err = r.service.changes(ctx, r.session, *r.at)
		if err == nil {
			return Update{}, false, nil
		}
		if !errors.Is(err, ErrGap) {
			return Update{}, false, err
		}
	}
	after := r.at
	lost := errors.Is(err, errLost)
	if lost {
		after = nil // what was said after a revision that is no more is not known
	}
	snapshot, err := r.service.snapshot(ctx, r.app, r.session, after)
	if err != nil {
		return Update{}, false, err
	}
	snapshot.Lost = lost || r.at != nil && r.at.Epoch == snapshot.Position.Epoch && r.at.Revision > snapshot.Position.Revision
	if snapshot.Position.Mark, err = r.service.mark(ctx, r.session, snapshot.Position); err != nil {
		return Update{}, false, err
	}
	r.at = &snapshot.Position
	return Update{Snapshot: snapshot}, true, nil
}

// errLost is the gap of a store that has lost a change which the reader had.
var errLost = fmt.Errorf("the store has lost changes: %w", ErrGap)

// changes are those after the position. If it has a mark, the change before them is read too, and must be the one that the reader had:
// merge patches on top of another would make a state that never was.
func (s *Service) changes(ctx context.Context, session holdfast.SessionID, after Position) ([]Change, error) {
	if after.Mark == "" || after.Revision == 0 {
		return s.driver.Changes(ctx, session, after, batch)
	}
	changes, err := s.driver.Changes(ctx, session, before(after), batch+1)
	switch {
	case err != nil:
		return nil, err
	case len(changes) == 0, changes[0].Mark() != after.Mark:
		return nil, errLost
	}
	return changes[1:], nil
}

// mark is that of the position's revision; empty if the change is not kept.
func (s *Service) mark(ctx context.Context, session holdfast.SessionID, at Position) (string, error) {
	if at.Revision == 0 {
		return "", nil
	}
	changes, err := s.driver.Changes(ctx, session, before(at), 1)
	if errors.Is(err, ErrGap) || len(changes) == 0 {
		return "", nil // the next change that is given has one
	}
	if err != nil {
		return "", err
	}
	return changes[0].Mark(), nil
}

// before is the position one change earlier.
func before(at Position) Position { return Position{Epoch: at.Epoch, Revision: at.Revision - 1} }

func (r *Reader) give() Update {
	change := r.ready[0]
	r.ready = r.ready[1:]
	r.at = &Position{Epoch: r.at.Epoch, Revision: change.Revision, Mark: change.Mark()}
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

// Snapshot returns what the session's client may see at present. The error wraps [holdfast.ErrBadArgument] for a session that is
// not one of the app.
func (s *Service) Snapshot(ctx context.Context, app *holdfast.App, session holdfast.SessionID) (*Snapshot, error) {
	if err := checkSession(app, session); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
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
