package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
)

const taskID = `holdfast.getSnapshot().tasks[0].id`

// TestClosingThePageEndsItsTask is the second example of the original's documentation, with the tab really closed.
func TestClosingThePageEndsItsTask(t *testing.T) { inOneProcess(t, theExamples, closingThePage) }

func closingThePage(t *testing.T, at site) {
	b := startBrowser(t)
	page := b.openPage(at.URL("/pageclose/"), "#stop", nil)
	page.until(`tasks.length === 1 && state.printed >= 1`)
	first := evaluate[string](page, taskID)
	session := page.session()

	page.do(chromedp.Reload(), chromedp.WaitEnabled("#stop"))
	page.until(`tasks.length === 1 && state.printed >= 2`)
	require.Equal(t, first, evaluate[string](page, taskID), "a reload does not disturb the task, and starts no second one")

	page.close()
	err := at.Client().GetWorkflow(t.Context(), first, "").Get(t.Context(), nil)
	require.True(t, temporal.IsCanceledError(err), "%v", err)

	again := b.openPage(at.URL("/pageclose/"), "#stop", session)
	again.until(`tasks.length === 1 && tasks[0].id !== ` + quote(first))
	again.until(`tasks[0].status === "running" && state.printed < 2`)
	again.do(chromedp.Click("#stop"))
	again.until(`tasks.length === 0 && state.printed === 0`)
}

// TestTheCounterEndsWithItsPage closes the tab of a counter, which leaves its place free.
func TestTheCounterEndsWithItsPage(t *testing.T) { inOneProcess(t, theExamples, theCounterEnds) }

func theCounterEnds(t *testing.T, at site) {
	b := startBrowser(t)
	page := b.open(at.URL("/counter/"), nil)
	page.setMax("1000")
	page.click("#toggle")
	page.until(`state.counter >= 2`)
	id := evaluate[string](page, taskID)
	session := page.session()
	page.close()

	back := b.open(at.URL("/counter/"), session) // within the grace period
	back.until(`state.counter >= 4`)
	require.Equal(t, id, evaluate[string](back, taskID), "it never stopped")
	back.close()
	err := at.Client().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil)
	require.True(t, temporal.IsCanceledError(err), "%v", err)

	late := b.open(at.URL("/counter/"), session)
	late.until(`!state.running && tasks.length === 0`)
	late.setMax("1")
	late.click("#reset")
	late.click("#toggle") // its place is free
	late.until(`state.counter === 1`)
	late.until(idle)
}

// TestATaskThatIsTerminatedGoesOffTheList ends a workflow without giving it a chance to say so.
func TestATaskThatIsTerminatedGoesOffTheList(t *testing.T) { inOneProcess(t, theWhole, terminating) }

func terminating(t *testing.T, at site) {
	c := newClient(t, at, "fast")
	c.reconnect()
	c.until(func() bool { return c.known })
	c.send("CountTo", 1_000_000)
	c.until(func() bool { return c.counter() > 3 })
	require.NoError(t, at.Client().TerminateWorkflow(t.Context(), c.taskID(), "", "by hand"))
	c.until(func() bool { return c.status() == "failed" })
	c.send("CountTo", c.counter()+3)
	c.until(func() bool { return c.done && len(c.tasks) == 0 })
}
