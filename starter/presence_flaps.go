package starter

import "time"

const (
	// flapMemory is how long a page's coming back counts as a part of the same
	// restlessness.
	flapMemory = time.Minute
	// flapFirst is how long a page that has come back is taken for there although it may
	// leave again; it doubles each time, up to flapMost.
	flapFirst = 2 * time.Second
	flapMost  = 16 * time.Second
)

// flaps keeps a page that comes and goes all the time from flooding its tasks, each of
// which may be signalled 10,000 times. After a quiet minute both changes are signalled
// at once. An arrival of a restless page is signalled at once, as its task may be about to end for
// want of it, and a departure when the page has stayed away until some time after its last
// arrival: a few signals a minute.
type flaps struct {
	n     int       // how often it came back within flapMemory of its departure
	until time.Time // before it no departure is signalled
	left  time.Time // when the last departure was signalled
}

// said notes a signal that was sent.
func (f *flaps) said(there bool, now time.Time) {
	if !there {
		f.left = now
		return
	}
	if f.left.IsZero() || now.Sub(f.left) > flapMemory {
		f.n = 0
		return
	}
	f.wait(now, min(flapFirst<<min(f.n, 10), flapMost))
	f.n++
}

// wait holds back the next departure for so long.
func (f *flaps) wait(now time.Time, pause time.Duration) {
	if until := now.Add(pause); until.After(f.until) {
		f.until = until
	}
}

// hold is how long a going must not be told yet.
func (f *flaps) hold(now time.Time) time.Duration { return f.until.Sub(now) }

// forgotten reports that nothing of what happened matters any more.
func (f *flaps) forgotten(now time.Time) bool { return now.Sub(f.left) > flapMemory }
