package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/e2e/exact"
	"github.com/holdfast-run/holdfast/dev/internal/processes"
	"github.com/holdfast-run/holdfast/dev/internal/tcpproxy"
)

// silenced is a cluster in which each pair of processes is joined by a proxy at one of its parts, and a page
// at each starter.
type silenced struct {
	*scene

	proxies []*tcpproxy.Proxy
	pages   []*page
}

// silence drops the connections between each pair of processes for a minute, without a word to either end, while pages send
// events and their tasks run.
func silence(t *testing.T, server *processes.Temporal, db database) {
	const minute, turns = time.Minute, 300
	s := newSilenced(newScene(t, server, db))
	tasks := map[*page]string{}
	for _, p := range s.pages {
		p.send("Begin", exact.Run{Loop: "bound"})
		p.untilTurn("bound", 2)
		tasks[p] = p.task()
		p.send("Begin", exact.Run{Loop: "regular", Turns: turns})
	}
	for _, proxy := range s.proxies {
		proxy.Silence()
	}
	s.noteFor(minute)
	for _, proxy := range s.proxies {
		proxy.Mend()
	}
	for _, p := range s.pages {
		p.settled()
		turn := p.loop("bound").Highest
		p.untilTurn("bound", turn+3)
		require.Equal(t, tasks[p], p.task(), "page %s was there", p.client)
		p.send("End", "bound")
		p.ended("bound", "regular")
		p.requireExact(map[string]int64{"regular": turns}, "bound", "regular")
	}
}

func newSilenced(s *scene) *silenced {
	healthy := s.Starter()
	s.Worker()
	here := proxy(s.t, healthy.Address)
	c := &silenced{scene: s, proxies: []*tcpproxy.Proxy{here}}
	c.pages = []*page{
		open(s.t, "undisturbed", healthy.Address),
		open(s.t, "cutfromstarter", here.Address(), healthy.Address),
	}
	ways := map[string]func() (*tcpproxy.Proxy, string){"temporal": s.temporal, "store": s.store}
	if s.isFile() {
		delete(ways, "store")
	}
	for name, way := range ways {
		starters, through := way()
		starter := s.Starter(through)
		workers, through := way()
		s.Worker(through)
		c.proxies = append(c.proxies, starters, workers)
		c.pages = append(c.pages, open(s.t, "startercutfrom"+name, starter.Address, healthy.Address))
	}
	return c
}

// noteFor has all pages send events for a while.
func (s *silenced) noteFor(while time.Duration) {
	const every = 400 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for over := time.After(while); ; {
		select {
		case <-tick.C:
			for _, p := range s.pages {
				p.note(1)
			}
		case <-over:
			return
		}
	}
}
