package starter

import (
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// sightings remembers since when this process has seen each listed task as it is. Times in a
// task's row are of another process's clock and say nothing here. It is safe for concurrent use.
type sightings struct {
	mu  sync.Mutex // protects all
	all map[holdfast.TaskID]sighting
}

type sighting struct {
	status state.Status
	since  time.Time
}

// see takes over the lists of tasks, and forgets what is on none any more.
func (s *sightings) see(sessions []state.Listed, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[holdfast.TaskID]sighting{}
	for _, listed := range sessions {
		for i := range listed.Tasks {
			task := &listed.Tasks[i]
			one, ok := s.all[task.ID]
			if !ok || one.status != task.Status {
				one = sighting{task.Status, now}
			}
			all[task.ID] = one
		}
	}
	s.all = all
}

// age is how long the task has been seen as it was last.
func (s *sightings) age(id holdfast.TaskID, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.all[id]
	if !ok {
		return 0
	}
	return now.Sub(one.since)
}
