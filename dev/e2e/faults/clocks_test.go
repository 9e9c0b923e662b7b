package faults_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast/dev/e2e/exact"
	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// clocks has a worker and a starter an hour ahead of the others. They die in the middle of what they do, and the
// others, whose clocks are right or an hour behind, take over as soon as they would otherwise.
func clocks(t *testing.T, server *processes.Temporal, db database) {
	const turns, queued = 100, 20
	s := newScene(t, server, db)
	s.Program = built.Skewed(t)
	ahead, worker := s.Starter(clock(time.Hour)), s.Worker(clock(time.Hour))
	addresses := []string{ahead.Address, processes.FreeAddress(t)}
	inside := open(t, "insidesection", addresses...)
	event := open(t, "insideevent", addresses...)
	stays := open(t, "pagethatstays", addresses...)
	leaves := open(t, "pagethatleaves", addresses...)
	ends := open(t, "taskthatends", addresses...)
	stays.send("Begin", exact.Run{Loop: "regular", Turns: turns})
	for _, p := range []*page{stays, leaves, ends} {
		p.send("Begin", exact.Run{Loop: "bound"})
		p.untilTurn("bound", 2)
	}
	inSection, inEvent := newGate(t), newGate(t)
	inside.send("Begin", exact.Run{Loop: "guarded", Turns: 5, Gate: inSection.dir})
	inSection.arrived(worker)
	event.noteAt(inEvent)
	inEvent.arrived(ahead)
	event.note(queued)

	worker.Kill()
	ahead.Kill()
	leaves.close()
	other := s.Worker(clock(-time.Hour))
	behind := s.StarterAt(addresses[1], clock(-time.Hour))
	inSection.arrived(other)
	inSection.open()
	inEvent.arrived(behind)
	inEvent.open()
	inside.ended("guarded")
	inside.requireExact(map[string]int64{"gate": 1, "guarded": 5}, "guarded")
	event.requireExact(nil)

	api := s.Client()
	require.NoError(t, api.TerminateWorkflow(t.Context(), ends.task(), "", "by hand"))
	ends.until("hears that its task was terminated", func() bool { return ends.tasks[0].Status == "failed" })
	err := api.GetWorkflow(t.Context(), leaves.task(), "").Get(t.Context(), nil)
	require.True(t, temporal.IsCanceledError(err), "its page has gone: %v", err)
	stays.send("End", "bound")
	stays.ended("regular", "bound")
	stays.requireExact(map[string]int64{"regular": turns}, "regular", "bound")
}

// clock is the setting of a process whose clock is that much ahead.
func clock(ahead time.Duration) string {
	return fmt.Sprintf("%s=%d", processes.SkewSeconds, int64(ahead/time.Second))
}

// task is the page's first task.
func (p *page) task() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tasks[0].ID
}
