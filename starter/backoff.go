package starter

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast/state"
)

const (
	// backoffFirst is how long a row waits after its first failure. The wait doubles with
	// each further one, up to backoffMost.
	backoffFirst = time.Second
	backoffMost  = 30 * time.Second
)

// backoffs remembers the rows of the outbox that failed for a reason of their own, and when
// each may be tried again. It is safe for concurrent use.
type backoffs struct {
	mu  sync.Mutex // protects all
	all map[string]backoff
}

type backoff struct {
	times    int // failures so far
	overruns int // those of them that missed the section's deadline
	first    time.Time
	next     time.Time
}

// scheduleRetry notes that the row failed for a reason of its own, and logs it.
func (r *relay) scheduleRetry(ctx context.Context, row state.Pending, err error) {
	pause := r.backoffs.add(row.ID, time.Now())
	r.starter.log.WarnContext(ctx, "a row of the outbox failed; trying again later", "kind", string(row.Kind),
		"app", row.App, "session", row.Session, "row", row.ID, "pause", pause, "err", err)
}

// add notes a failure and returns how long the row waits.
func (f *backoffs) add(id string, now time.Time) (pause time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.all[id]
	pause = min(backoffFirst<<min(one.times, 10), backoffMost)
	if one.times == 0 {
		one.first = now
	}
	one.times, one.next = one.times+1, now.Add(pause)
	f.put(id, one)
	return pause
}

// overrun notes that the row's function missed its deadline, and returns how often it has.
func (f *backoffs) overrun(id string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.all[id]
	one.overruns++
	f.put(id, one)
	return one.overruns
}

// times is how often the row has failed.
func (f *backoffs) times(id string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.all[id].times
}

// since is when the row failed first; now if it has not.
func (f *backoffs) since(id string, now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one, ok := f.all[id]; ok && one.times > 0 {
		return one.first
	}
	return now
}

// put requires f.mu.
func (f *backoffs) put(id string, one backoff) {
	if f.all == nil {
		f.all = map[string]backoff{}
	}
	f.all[id] = one
}

// waits reports that the row is not to be tried yet.
func (f *backoffs) waits(id string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.all[id].next)
}

// pause is the time until the first row may be tried again that still had to wait at the time
// read; backoffMost if there is none.
func (f *backoffs) pause(read, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	pause := backoffMost
	for _, one := range f.all {
		if one.next.After(read) {
			pause = min(pause, max(one.next.Sub(now), 0))
		}
	}
	return pause
}

// keep forgets all rows that are not among those of the whole outbox.
func (f *backoffs) keep(outbox []state.Pending) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == 0 {
		return
	}
	kept := map[string]backoff{}
	for i := range outbox {
		if one, ok := f.all[outbox[i].ID]; ok {
			kept[outbox[i].ID] = one
		}
	}
	f.all = kept
}
