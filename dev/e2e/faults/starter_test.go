package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/e2e/exact"
	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// starterPaused stops a starter inside an event and inside a triggered one, with events and triggers that
// wait behind those and before the lock. Its pages go on at another, for longer than every lease and window.
func starterPaused(t *testing.T, server *processes.Temporal, db database) {
	const links, burst, queued, meanwhile = 40, 100, 30, 600
	s := newScene(t, server, db)
	worker, paused := s.Worker(), s.Starter()
	addresses := []string{paused.Address, processes.FreeAddress(t)}
	event := open(t, "insideevent", addresses...)
	trigger := open(t, "insidetrigger", addresses...)
	outside := open(t, "beforelock", addresses...)
	bound := open(t, "boundpage", addresses...)
	bound.send("Begin", exact.Run{Loop: "bound"})
	bound.untilTurn("bound", 2)
	task := bound.task()

	inLock := newGate(t)
	outside.send("Begin", exact.Run{Loop: "guarded", Turns: 5, Gate: inLock.dir})
	inLock.arrived(worker)
	outside.note(queued)
	outside.send("Burst", burst)
	inTrigger := newGate(t)
	trigger.send("Link", exact.Chain{Name: "chain", N: 1, To: links, At: links / 2, Gate: inTrigger.dir})
	inTrigger.arrived(paused)
	inEvent := newGate(t)
	event.noteAt(inEvent)
	inEvent.arrived(paused)
	event.note(queued)

	s.pause(paused)
	over := time.After(pause)
	inLock.open()
	other := s.StarterAt(addresses[1])
	event.leave(1)
	inTrigger.arrived(other)
	inTrigger.open()
	inEvent.arrived(other)
	inEvent.open()
	event.note(meanwhile)
	event.settled()
	trigger.untilTurn("chain", links)
	outside.ended("guarded")
	outside.settled()
	<-over

	paused.Wake()
	last := open(t, "afterwards", paused.Address)
	last.note(queued)
	last.requireExact(nil)
	turn := bound.loop("bound").Highest
	bound.untilTurn("bound", turn+5)
	require.Equal(t, task, bound.task(), "its page was there")
	bound.send("End", "bound")
	bound.ended("bound")
	outside.untilBurst(burst)

	event.note(1)
	event.requireExact(nil)
	trigger.requireExact(map[string]int64{"chain": links})
	outside.requireExact(map[string]int64{"gate": 1, "guarded": 5}, "guarded")
	bound.requireExact(nil, "bound")
}
