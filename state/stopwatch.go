package state

import "time"

// stopwatch measures what a function takes, and leaves out the time in which the process did not
// run: a process that is stopped, on a machine that sleeps or is starved, has a function that took
// nothing meanwhile. Such a pause shows as a gap between two looks at the clock that are meant to
// be one tick apart, and no gap counts for more than two ticks.
type stopwatch struct {
	limit time.Duration
	tick  time.Duration // between two looks
	last  time.Time     // the last look
	taken time.Duration
}

// newStopwatch starts a stopwatch that is to be looked at every tick, or more often if the limit is
// short.
func newStopwatch(limit, tick time.Duration, now time.Time) stopwatch {
	const (
		within = 50 // looks within the limit
		least  = time.Millisecond
		most   = 100 * time.Millisecond
	)
	return stopwatch{limit: limit, tick: max(least, min(limit/within, tick, most)), last: now}
}

// pass takes a look and reports whether the function has taken its limit.
func (s *stopwatch) pass(now time.Time) bool {
	s.taken += min(now.Sub(s.last), 2*s.tick)
	s.last = now
	return s.taken >= s.limit
}
