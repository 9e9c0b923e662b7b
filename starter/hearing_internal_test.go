package starter

import (
	"sync"
	"time"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// hearings are tasks as far as they listen for their pages.
type hearings struct {
	signal func(id string, beat wire.Heartbeat) error // what the server says to a signal; nil: it takes it
	hearMu sync.Mutex                                 // protects tasks
	tasks  map[string]*hearing
}

type hearing struct {
	connected map[string]bool
	since     time.Time     // when the last starter went; zero while there is one
	longest   time.Duration // without any
}

func (h *hearings) hear(id string, beat wire.Heartbeat) error {
	if h.signal != nil {
		if err := h.signal(id, beat); err != nil {
			return err
		}
	}
	h.hearMu.Lock()
	defer h.hearMu.Unlock()
	if h.tasks == nil {
		h.tasks = map[string]*hearing{}
	}
	task := h.tasks[id]
	if task == nil {
		task = &hearing{connected: map[string]bool{}}
		h.tasks[id] = task
	}
	if beat.Connected {
		task.connected[beat.Starter] = true
	} else {
		delete(task.connected, beat.Starter)
	}
	task.look()
	return nil
}

// look notes how long there has been no starter.
func (h *hearing) look() {
	if !h.since.IsZero() {
		h.longest = max(h.longest, time.Since(h.since))
	}
	switch {
	case len(h.connected) > 0:
		h.since = time.Time{}
	case h.since.IsZero():
		h.since = time.Now()
	}
}

// alone is the longest time for which a task had heard of no page, from the first one on.
func (h *hearings) alone() (longest time.Duration) {
	h.hearMu.Lock()
	defer h.hearMu.Unlock()
	for _, task := range h.tasks {
		task.look()
		longest = max(longest, task.longest)
	}
	return longest
}
