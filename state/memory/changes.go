package memory

import (
	"context"
	"slices"
	"sync"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Changes returns the changes after a position.
func (d *Driver) Changes(_ context.Context, id holdfast.SessionID, after state.Position, limit int) ([]state.Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sessions[id]
	if s == nil {
		s = &session{}
	}
	missing := s.record.Revision - after.Revision
	if after.Epoch != s.record.Epoch || missing < 0 || missing > int64(len(s.changes)) {
		return nil, state.ErrGap
	}
	behind := s.changes[len(s.changes)-int(missing):]
	return slices.Clone(behind[:min(limit, len(behind))]), nil
}

// watcher gathers notices for one Watch, so that a commit never waits for it.
type watcher struct {
	mu      sync.Mutex // protects notices
	notices []state.Notice
	some    chan struct{} // holds one token when there are notices
}

// Watch hands on a notice of every commit.
func (d *Driver) Watch(ctx context.Context, notify func(state.Notice)) error {
	w := &watcher{some: make(chan struct{}, 1)}
	d.mu.Lock()
	d.watchers[w] = struct{}{}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watchers, w)
	}()
	for {
		select {
		case <-w.some:
			for _, n := range w.take() {
				notify(n)
			}
		case <-d.closed:
			return errClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *watcher) take() []state.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	notices := w.notices
	w.notices = nil
	return notices
}

// notify requires d.mu.
func (d *Driver) notify(n state.Notice) {
	for w := range d.watchers {
		w.mu.Lock()
		if !slices.Contains(w.notices, n) {
			w.notices = append(w.notices, n)
		}
		w.mu.Unlock()
		select {
		case w.some <- struct{}{}:
		default:
		}
	}
}
