package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestAReportIsMadeInSpiteOfEverything makes the long job of the examples while its process is killed and its page is closed.
func TestAReportIsMadeInSpiteOfEverything(t *testing.T) {
	in := install(t, theExamples)
	in.Start()
	theReport(t, in, func(page *tab) {
		in.Kill()
		page.until(`connection === "offline"`)
		in.Start()
	})
	in.Stop()
}

// theReport calls kill while a report is being made.
func theReport(t *testing.T, at site, kill func(*tab)) {
	b := startBrowser(t)
	page := b.openPage(at.URL("/report/"), "#make", nil)
	order := func(upTo string) {
		page.do(chromedp.SetValue("#upto", ""), chromedp.SendKeys("#upto", upTo))
		page.click("#make")
	}

	order("700000")
	page.until(`state.building?.through >= 300_000`) // three seconds: past at least one heartbeat that the server has heard
	id := evaluate[string](page, taskID)
	kill(page)
	page.until(`connection === "online" && state.building.through >= 400_000`)
	require.Equal(t, id, evaluate[string](page, taskID))
	session := page.session()
	page.close()

	require.NoError(t, at.Client().GetWorkflow(t.Context(), id, "").Get(t.Context(), nil))
	page = b.openPage(at.URL("/report/"), "#make", session)
	page.until(`!state.building && state.past.length === 1 && tasks.length === 0`)
	require.Equal(t, 56_543, evaluate[int](page, `holdfast.getSnapshot().state.past[0].primes`), "none missed, none counted twice")
	require.True(t, evaluate[bool](page, `holdfast.getSnapshot().state.past[0].done`))

	order("6000000")
	page.until(`state.building?.through > 0`)
	page.click("#cancel")
	page.until(`state.past.length === 2 && !state.past[0].done && tasks.length === 0`)
	require.Contains(t, page.text("#past li"), "Stopped at")

	order("0")
	require.Zero(t, evaluate[int](page, `holdfast.getSnapshot().tasks.length`), "the form itself refuses it")
}
