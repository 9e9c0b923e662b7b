package state

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/holdfast-run/holdfast"
)

// A mark is what the ledger keeps of an owner beside its entries: small, and bounded whatever the owner does.

// taskMark is the mark of a task.
type taskMark struct {
	// Floor is the highest number of a call that is forgotten.
	Floor int64 `json:"floor,omitempty"`
	// Run is the task's current run, Past are those before it, the last ones.
	Run  string   `json:"run,omitempty"`
	Past []string `json:"past,omitempty"`
	// Final reports that the current run has begun to end, and Ended that it has: the tombstone.
	Final bool `json:"final,omitempty"`
	Ended bool `json:"ended,omitempty"`
	// Never reports that no run is let in: the task was struck out before it ran, or its workflow is not there.
	Never bool `json:"never,omitempty"`
}

// keepRuns is how many past runs a task's mark keeps. Of one that is no longer known, Temporal says that it has ended.
const keepRuns = 16

// decodeMark reads the mark of the claim's owner; there may be none.
func decodeMark(held Held, to any) (found bool, err error) {
	raw := held.Mark()
	if len(raw) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return false, fmt.Errorf("read the mark of a caller: %w", err)
	}
	return true, nil
}

// admits reports whether the run is known as the task's. The error is that of a run that has ended, or is about to and makes a
// call that is not final.
func (m *taskMark) admits(run string, final bool) (known bool, err error) {
	current := run == "" || run == m.Run
	switch {
	case m.Never, current && (m.Ended || m.Final && !final), slices.Contains(m.Past, run):
		return false, holdfast.ErrTaskEnded
	default:
		return current || m.Run == "", nil
	}
}

// enter makes the run the current one.
func (m *taskMark) enter(run string) {
	if run == "" || run == m.Run {
		return
	}
	if m.Run != "" {
		m.Past = append(m.Past, m.Run)
		m.Past = m.Past[max(0, len(m.Past)-keepRuns):]
	}
	m.Run, m.Final, m.Ended = run, false, false
}

// end leaves the tombstone of a run, or of all runs (empty). It reports whether that is the task's end: a run that others
// have followed ends nothing.
func (m *taskMark) end(run string) (theEnd, changed bool) {
	if slices.Contains(m.Past, run) {
		return false, false
	}
	if run == "" {
		changed = !m.Never
		m.Never = true
		return true, changed
	}
	changed = run != m.Run || !m.Ended
	if m.Ended {
		m.enter(run)
	}
	// Of the run that was current, which did not tell its end, it is not known whether it came before: a reset run, perhaps,
	// that goes on. It is asked for then.
	m.Run, m.Final, m.Ended = run, m.Final && run == m.Run, true
	return true, changed
}

// pageMark is the mark of one load of a page, whose events are numbered as they are sent.
type pageMark struct {
	// High is the highest number of an event that was applied, and Floor of one of which nothing is known.
	High  int64 `json:"high,omitempty"`
	Floor int64 `json:"floor,omitempty"`
	// Holes are the numbers between the two that were not applied: they were refused.
	Holes []int64 `json:"holes,omitempty"`
	// Loads are the events that have run for the load of the page.
	Loads []string `json:"loads,omitempty"`
}

// pageWindow is how far back from its newest event a page may ask again: as many as may wait for their acknowledgement.
const pageWindow = 256

// applied reports whether the event was applied. The error is that of one that was refused, or of which nothing is known.
func (m *pageMark) applied(key Key) (bool, error) {
	switch {
	case key.Seq == 0:
		return slices.Contains(m.Loads, key.Position), nil
	case key.Seq <= m.Floor, slices.Contains(m.Holes, key.Seq):
		return false, ErrForgotten
	}
	return key.Seq <= m.High, nil
}

// apply notes that the event is applied.
func (m *pageMark) apply(key Key) {
	if key.Seq == 0 {
		m.Loads = append(m.Loads, key.Position)
		return
	}
	m.Floor = max(m.Floor, key.Seq-pageWindow)
	for n := max(m.High, m.Floor) + 1; n < key.Seq; n++ {
		m.Holes = append(m.Holes, n)
	}
	m.High = key.Seq
	m.Holes = slices.DeleteFunc(m.Holes, func(n int64) bool { return n <= m.Floor })
}
