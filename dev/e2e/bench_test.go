package e2e_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// BenchmarkHalfSecondLoop runs the counter of the examples and reports how far apart its steps arrive at a page. Half a second is
// what the loop asks for.
func BenchmarkHalfSecondLoop(b *testing.B) {
	const steps = 20
	in := install(b, theExamples)
	in.Start()
	c := newClient(b, in, "counter")
	c.reconnect()
	c.until(func() bool { return c.known })
	c.send("SetMaxCounter", steps)
	var periods []time.Duration
	for b.Loop() {
		c.send("ClearCounter", nil)
		c.until(func() bool { return c.counter() == 0 })
		c.send("ToggleRunning", nil)
		c.until(func() bool { return c.counter() == 1 })
		last := time.Now()
		for n := 2; n <= steps; n++ {
			c.until(func() bool { return c.counter() == n })
			periods = append(periods, time.Since(last))
			last = time.Now()
		}
		c.until(func() bool { return len(c.tasks) == 0 })
	}
	report(b, "period", periods)
}

// BenchmarkRecovery kills the whole program at random moments of a run and reports how long after the next one is ready a page
// sees the count go on.
func BenchmarkRecovery(b *testing.B) {
	const kills, between = 20, 10
	in := install(b, theWhole)
	in.Start()
	c := newClient(b, in, "fast")
	c.reconnect()
	c.until(func() bool { return c.known })
	var recoveries []time.Duration
	for b.Loop() {
		c.send("CountTo", c.counter()+kills*between+100)
		for range kills {
			next := c.counter() + between
			c.until(func() bool { return c.counter() >= next })
			<-time.After(rand.N(20 * time.Millisecond)) // anywhere in an iteration
			in.Kill()
			in.Start()
			ready := time.Now()
			c.known = false // so that a snapshot tells what was committed before
			c.reconnect()
			c.until(func() bool { return c.known })
			before := c.counter()
			c.until(func() bool { return c.counter() > before })
			recoveries = append(recoveries, time.Since(ready))
		}
		c.until(func() bool { return len(c.tasks) == 0 })
	}
	report(b, "recovery", recoveries)
}

// report reports the median and the worst.
func report(b *testing.B, what string, all []time.Duration) {
	b.Helper()
	slices.Sort(all)
	const ms = float64(time.Millisecond)
	b.ReportMetric(float64(all[len(all)/2])/ms, "ms/"+what+"-median")
	b.ReportMetric(float64(all[len(all)-1])/ms, "ms/"+what+"-worst")
	b.ReportMetric(0, "ns/op") // says nothing here
}
