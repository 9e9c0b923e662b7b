package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/holdfast-run/holdfast/dev/e2e/exact"
	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// workerPaused stops a worker inside an inline loop, inside a section and before the lock of another, goes
// on without it for longer than every lease and window, and wakes it.
func workerPaused(t *testing.T, server *processes.Temporal, db database) {
	const before, meanwhile, turns = 200, 5_000, 7_000
	s := newScene(t, server, db, "HOLDFAST_SECTION_DEADLINE=1m")
	starter, paused := s.Starter(), s.Worker()
	loop := open(t, "inlineloop", starter.Address)
	inside := open(t, "insidesection", starter.Address)
	outside := open(t, "beforelock", starter.Address)

	loop.send("Begin", exact.Run{Loop: "inline", Turns: turns})
	loop.untilTurn("inline", before)
	section := newGate(t)
	inside.send("Begin", exact.Run{Loop: "guarded", Turns: 5, Gate: section.dir})
	section.arrived(paused)
	lock := newGate(t)
	task := s.waitForLock(outside, lock)

	s.pause(paused)
	over := time.After(pause)
	other := s.Worker()
	require.NoError(t, s.Client().CancelWorkflow(t.Context(), task, ""))
	section.arrived(other)
	section.open()
	inside.ended("guarded")
	lock.open()
	outside.ended("regular")
	turn := outside.loop("regular").Highest
	loop.untilTurn("inline", before+meanwhile)
	<-over

	paused.Wake()
	loop.ended("inline")
	other.Stop()
	last := open(t, "afterwards", starter.Address) // by the one that was woken
	last.send("Begin", exact.Run{Loop: "inline", Turns: 50})
	last.ended("inline")
	last.requireExact(map[string]int64{"inline": 50}, "inline")
	loop.requireExact(map[string]int64{"inline": turns}, "inline")
	inside.requireExact(map[string]int64{"gate": 1, "guarded": 5}, "guarded")
	outside.requireExact(map[string]int64{"regular": turn}, "regular")
	for _, p := range []*page{loop, inside, outside} {
		require.Empty(t, p.tasks)
	}
}

// waitForLock has a section of a task of the page wait for the session's lock, which a starter holds at the gate. It
// returns the task.
func (s *scene) waitForLock(p *page, g *gate) (task string) {
	s.t.Helper()
	p.send("Begin", exact.Run{Loop: "regular", Turns: 100_000})
	p.untilTurn("regular", 5)
	p.noteAt(g)
	g.arrived(s.Starters[0])
	task = p.task()
	api := s.Client()
	eventually(s.t, "the section waits for the lock", func() bool {
		description, err := api.DescribeWorkflowExecution(s.t.Context(), task, "")
		require.NoError(s.t, err)
		pending := description.GetPendingActivities()
		return len(pending) == 1 && pending[0].GetState() == enums.PENDING_ACTIVITY_STATE_STARTED
	})
	return task
}
