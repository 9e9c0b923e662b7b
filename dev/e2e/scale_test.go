package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// BenchmarkAcrossStarters reports how long after an event was sent to one starter a page at the other one sees what it changed.
func BenchmarkAcrossStarters(b *testing.B) {
	for name, start := range processes.Stores() {
		b.Run(name, func(b *testing.B) {
			cluster := newCluster(b, start(b).URL)
			first, second := cluster.Starter(), cluster.Starter()
			here, there := pair(b, first, second)
			var delays []time.Duration
			for b.Loop() {
				before, sent := here.revision, time.Now()
				there.send("Aim", len(delays)+1)
				here.until(func() bool { return here.revision > before })
				delays = append(delays, time.Since(sent))
				there.until(func() bool { return len(there.waiting) == 0 })
			}
			report(b, "delay", delays)
		})
	}
}

// pair are two pages of one session, each at another starter.
func pair(t testing.TB, first, second *processes.Part) (here, there *client) {
	t.Helper()
	here = newClient(t, first, "fast")
	here.reconnect()
	here.until(func() bool { return here.known })
	there = newClient(t, second, "fast")
	there.token = here.token
	there.reconnect()
	there.until(func() bool { return there.known })
	return here, there
}

// BenchmarkCostOfAStep has tasks count for twenty seconds, and reports what a step costs each program: a section and its delta to the
// page, with a timer of a second for each of fifty pages, or inline with a nap of two milliseconds for each of two.
func BenchmarkCostOfAStep(b *testing.B) {
	for name, start := range processes.Stores() {
		b.Run(name+"/regular", func(b *testing.B) { costOfAStep(b, twoOfEach(b, start(b).URL), "CountSlowlyTo", 25) })
		b.Run(name+"/inline", func(b *testing.B) { costOfAStep(b, twoOfEach(b, start(b).URL), "CountInlineTo", 1) })
	}
}

func costOfAStep(b *testing.B, cluster *cluster, event string, pagesEach int) {
	b.Helper()
	const during = 20 * time.Second
	var all []*client
	for _, starter := range cluster.Starters {
		all = append(all, counters(b, starter, pagesEach, event, 1_000_000)...)
	}
	for _, c := range all {
		c.until(func() bool { return c.counter() > 0 })
	}
	for b.Loop() {
		before, began := cluster.costs(), time.Now()
		steps := count(all, during)
		for who, spent := range cluster.costs() {
			b.ReportMetric(float64((spent-before[who]).Microseconds())/1000/float64(steps), "cpu-ms/step/"+who)
		}
		b.ReportMetric(float64(steps)/time.Since(began).Seconds(), "steps/s")
	}
	b.ReportMetric(0, "ns/op") // says nothing here
}

// count reads all pages for a while and returns how many steps they saw.
func count(all []*client, during time.Duration) (steps int) {
	until := time.Now().Add(during)
	for time.Now().Before(until) {
		for _, c := range all {
			last := c.counter()
			c.until(func() bool { return c.counter() > last })
			steps += c.counter() - last
		}
	}
	return steps
}

// BenchmarkIdlePages opens pages that do nothing, and reports what one of them costs the starter.
func BenchmarkIdlePages(b *testing.B) {
	const pages = 2000
	cluster := newCluster(b, processes.Stores()["postgres"](b).URL)
	starter := cluster.Starter()
	before := resident(b, starter.PID())
	for b.Loop() {
		for range pages {
			c := newClient(b, starter, "fast")
			c.reconnect()
			c.until(func() bool { return c.known })
		}
		b.ReportMetric(float64(resident(b, starter.PID())-before)/pages, "KiB/page")
	}
	b.ReportMetric(0, "ns/op") // says nothing here
}

// costs are the processor times that the programs have taken so far. What is not ours, and was started from here, is the store.
func (c *cluster) costs() map[string]time.Duration {
	of := map[int]string{c.Temporal.PID(): "temporal"}
	for who, parts := range map[string][]*processes.Part{"starters": c.Starters, "workers": c.Workers} {
		for _, p := range parts {
			of[p.PID()] = who
		}
	}
	costs := map[string]time.Duration{}
	for pid, spent := range descendants(c.t) {
		who, ours := of[pid]
		if !ours {
			who = "store"
		}
		costs[who] += spent
	}
	return costs
}

// descendants are the processes that this one has started, and those that they have, with the processor time that each has taken.
func descendants(t testing.TB) map[int]time.Duration {
	t.Helper()
	const parent, user, system, tick = 1, 11, 12, 10 * time.Millisecond // of what follows the name in /proc/PID/stat
	parents, spent := map[int]int{}, map[int]time.Duration{}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	require.NotEmpty(t, files, "this benchmark reads /proc, which Linux has")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		number := func(i int) int { n, _ := strconv.Atoi(fields[i]); return n }
		parents[pid], spent[pid] = number(parent), time.Duration(number(user)+number(system))*tick
	}
	for pid := range spent {
		if !descends(parents, pid, os.Getpid()) {
			delete(spent, pid)
		}
	}
	return spent
}

func descends(parents map[int]int, pid, from int) bool {
	for pid = parents[pid]; pid > 0; pid = parents[pid] {
		if pid == from {
			return true
		}
	}
	return false
}

// resident is the memory of a process, in KiB.
func resident(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(text), "VmRSS:")
	require.True(t, found)
	n, err := strconv.Atoi(strings.Fields(after)[0])
	require.NoError(t, err)
	return n
}
