package faults_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/e2e/exact"
)

// settled waits until all events of the page are acknowledged and seen.
func (p *page) settled() {
	p.t.Helper()
	p.until("has all acknowledgements", func() bool { return len(p.waiting) == 0 && p.revision >= p.included })
}

// ended waits until the loops have ended and nothing is listed.
func (p *page) ended(loops ...string) {
	p.t.Helper()
	p.until(fmt.Sprintf("has seen the end of %v", loops), func() bool {
		for _, loop := range loops {
			if p.state.Ended[loop] == 0 {
				return false
			}
		}
		return len(p.tasks) == 0
	})
}

// loop is what is known of a loop or chain, in which nothing may have happened.
func (p *page) loop(name string) exact.Series {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.state.Loops[name]; s != nil {
		return *s
	}
	return exact.Series{}
}

// untilTurn waits until the loop has come that far.
func (p *page) untilTurn(name string, n int64) {
	p.t.Helper()
	p.until(fmt.Sprintf("has seen turn %d of %s", n, name), func() bool {
		s := p.state.Loops[name]
		return s != nil && s.Highest >= n
	})
}

// requireExact checks that each event of the page was applied once and in order, that loops and
// chains have these numbers of turns, each once, that what ended has ended once, and that the
// protocol was kept.
func (p *page) requireExact(turns map[string]int64, ended ...string) {
	p.t.Helper()
	p.settled()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(p.t, p.wrong, "page %s", p.client)
	require.Empty(p.t, p.failures, "page %s", p.client)
	if p.notes > 0 {
		requireOnce(p.t, p.notes, p.state.Events[p.client], "the events of page "+p.client)
	}
	got := map[string]int64{}
	for name, s := range p.state.Loops {
		requireOnce(p.t, s.Highest, s, "the turns of "+name)
		got[name] = s.Highest
	}
	for name, n := range turns {
		require.Equal(p.t, n, got[name], "the turns of %s", name)
	}
	want := map[string]int{}
	for _, loop := range ended {
		want[loop] = 1
	}
	require.Equal(p.t, want, p.state.Ended, "Finally")
}

// requireOnce checks that the calls 1 to n were applied, each once and in order.
func requireOnce(t testing.TB, n int64, s *exact.Series, what string) {
	t.Helper()
	want, _ := json.Marshal(&exact.Series{Highest: n, Applied: n}) //nolint:errchkjson // it can
	got, _ := json.Marshal(s)                                      //nolint:errchkjson // it can
	require.Equal(t, string(want), string(got), what)
}

// untilBurst waits until all events of a burst were applied.
func (p *page) untilBurst(n int) {
	p.t.Helper()
	p.until(fmt.Sprintf("has seen %d events of a burst", n), func() bool {
		for i := range n {
			if p.state.Loops[fmt.Sprintf("burst.%d", i+1)] == nil {
				return false
			}
		}
		return true
	})
}
