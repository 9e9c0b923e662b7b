package faults_test

import (
	"fmt"
	"testing"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// clientMoves has a page go to and fro between two starters. Each time the one that it leaves has events of it that wait for
// the lock, and goes on with them while the page sends them to the other.
func clientMoves(t *testing.T, server *processes.Temporal, db database) {
	const moves, queued, meanwhile = 6, 100, 600
	s := newScene(t, server, db)
	first, second := s.Starter(), s.Starter()
	addresses := []string{first.Address, second.Address}
	p := open(t, "movingpage", addresses...)
	p.note(1)
	p.settled()
	holders := []*page{p.beside("holderfirst", first.Address), p.beside("holdersecond", second.Address)}
	for move := range moves {
		g, to := newGate(t), (move+1)%len(addresses)
		holders[to].noteAt(g)
		g.arrived(s.Starters[to])
		p.note(queued)
		p.until(fmt.Sprintf("has sent its events before move %d", move), func() bool { return p.written == p.sent })
		p.leave(to)
		g.open()
		p.note(queued)
		p.settled()
	}
	p.note(meanwhile)
	p.requireExact(nil)
	for _, holder := range holders {
		holder.requireExact(nil)
	}
}
