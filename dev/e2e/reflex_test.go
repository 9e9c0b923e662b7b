package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// reflexClicks are the clicks of the original's own test. With 50 iterations they add 620 and count 12 tasks.
func reflexClicks() []string {
	tenTimes := func(name string) []string { return slices.Repeat([]string{name}, 10) }
	return slices.Concat(
		[]string{"Delayed", "BlockingPause", "Delayed"},
		tenTimes("Increment"),
		[]string{"BlockingPause", "Delayed", "Delayed", "YieldOnly", "Racy", "NonBlockingPause", "YieldOnly", "BlockingPause", "YieldOnly"},
		tenTimes("Increment"),
		[]string{"YieldOnly", "BlockingPause"},
	)
}

// TestTheOriginalsOwnEndToEndTest drives it through a browser, once with each section an activity of its own and once inline.
func TestTheOriginalsOwnEndToEndTest(t *testing.T) { inOneProcess(t, theWhole, theOriginals) }

func theOriginals(t *testing.T, at site) {
	b := startBrowser(t)
	for _, app := range []string{"reflex", "inline"} {
		t.Run(app, func(t *testing.T) {
			b := &browser{t: t, ctx: b.ctx}
			open := func() *tab { return b.openPage(at.URL("/"+app+"/"), "#Delayed", nil) }

			t.Run("620", func(t *testing.T) {
				page := open()
				page.do(chromedp.SendKeys("#iterations", "50"), chromedp.Blur("#iterations"))
				page.until(`states.State.iterations === 50`)
				for _, name := range reflexClicks() {
					page.click("#" + name)
				}
				page.until(`states.State.counter === 620 && tasks.length === 0`)
				require.Equal(t, []string{"620", "620"}, []string{page.text("#counter"), page.text("#counter-copy")})
				require.Equal(t, 12, evaluate[int](page, `holdfast.getSnapshot().states.State.task_id`))
			})
			t.Run("a nested section is refused, and the page goes on", func(t *testing.T) {
				page := open()
				page.click("#Nested")
				page.until(`states.State.counter === 1 && tasks[0]?.status === "failed"`)
				require.Regexp(t, `^\w+ failed \([0-9a-f]{8}\)$`, evaluate[string](page, `holdfast.getSnapshot().tasks[0].error`))
				require.Regexp(t, `^\w+ failed \([0-9a-f]{8}\)$`, evaluate[string](page, `failure.error`))
				page.click("#Increment")
				page.until(`states.State.counter === 2`)
			})
			t.Run("a state's task changes another state", func(*testing.T) {
				page := open()
				page.click("#Other")
				page.until(`states.State.counter === 3 && states.OtherState.calls === 1 && states.ThirdState.tripled === 1`)
				page.click("#Other")
				page.until(`states.State.counter === 12 && tasks.length === 0`)
				page.click("#Increment")
				page.until(`states.State.counter === 13`)
			})
			t.Run("the changes before and after a trigger arrive", func(*testing.T) {
				page := open()
				page.click("#Midway")
				page.until(`states.State.counter === 3 && tasks.length === 0`)
			})
		})
	}
}

// BenchmarkTheOriginalsOwnTest runs it over the socket, without a browser. The original takes 1.1 to 2.3 s for it, and a
// restart ends it.
func BenchmarkTheOriginalsOwnTest(b *testing.B) {
	in := install(b, theWhole)
	in.Start()
	for _, app := range []string{"reflex", "inline"} {
		b.Run(app, func(b *testing.B) {
			for b.Loop() {
				c := newClient(b, in, app)
				c.reconnect()
				c.send("SetIterations", 50)
				for _, name := range reflexClicks() {
					c.send(name, nil)
				}
				c.until(func() bool { return c.counter() == 620 && len(c.tasks) == 0 })
			}
		})
	}
}

// TestTheOriginalsClicksAddUp keeps the arithmetic of the tests above honest.
func TestTheOriginalsClicksAddUp(t *testing.T) {
	t.Parallel()
	all := strings.Join(reflexClicks(), " ")
	count := func(name string) int { return strings.Count(all, name) }
	require.Equal(t, 620, 50*(count("Delayed")+count("YieldOnly")+4*count("Racy"))+count("Increment"))
	require.Equal(t, 12, count("Delayed")+count("YieldOnly")+4*count("Racy"))
}
