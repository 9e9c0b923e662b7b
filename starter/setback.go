package starter

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/holdfast-run/holdfast/state"
)

// errNewer marks a row that names what this program does not know: a newer one's, most likely, which will do it.
var errNewer = errors.New("this program does not know it; a newer one may")

const (
	setbackFirst = time.Second
	setbackMost  = 30 * time.Second
)

// setbacks are the rows of the outbox that failed for a reason of their own, and have to wait before they are tried again: longer each
// time.
type setbacks struct {
	mu  sync.Mutex // protects all
	all map[string]setback
}

type setback struct {
	times int
	next  time.Time
}

// isOwnFault reports an error that is the row's, not that of a Temporal or a store that is away.
func isOwnFault(err error) bool {
	var said serviceerror.ServiceError
	var away *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	var ended *serviceerror.Canceled
	switch {
	case errors.Is(err, errNewer):
		return true
	case errors.As(err, &away), errors.As(err, &late), errors.As(err, &ended):
		return false
	}
	return errors.As(err, &said)
}

// blame has the row wait.
func (r *relay) blame(ctx context.Context, row state.Pending, err error) {
	pause := r.setbacks.add(row.ID, time.Now())
	r.starter.log.WarnContext(ctx, "what the outbox asks for failed; trying again later",
		"kind", string(row.Kind), "app", row.App, "session", row.Session, "row", row.ID, "pause", pause, "err", err)
}

func (f *setbacks) add(id string, now time.Time) (pause time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[string]setback{}
	}
	one := f.all[id]
	pause = min(setbackFirst<<min(one.times, 10), setbackMost)
	f.all[id] = setback{one.times + 1, now.Add(pause)}
	return pause
}

func (f *setbacks) waits(id string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.all[id].next)
}

// pause is the time until the first of them may be tried again, and not too short; long, if there is none.
func (f *setbacks) pause(now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	pause := setbackMost
	for _, one := range f.all {
		pause = min(pause, max(one.next.Sub(now), setbackFirst/10))
	}
	return pause
}

// keep forgets all that are not pending any more.
func (f *setbacks) keep(pending []state.Pending) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == 0 {
		return
	}
	kept := map[string]setback{}
	for _, p := range pending {
		if one, ok := f.all[p.ID]; ok {
			kept[p.ID] = one
		}
	}
	f.all = kept
}
