package e2e_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// upTo is 0, 1, …, n.
func upTo(n int) (values []int) {
	for i := range n + 1 {
		values = append(values, i)
	}
	return values
}

const idle = `!state.running && tasks.length === 0`

// TestTheCounterOfTheOriginalsDocumentation is the seed's example as its user has it.
func TestTheCounterOfTheOriginalsDocumentation(t *testing.T) {
	inOneProcess(t, theExamples, theCounter)
}

func theCounter(t *testing.T, at site) {
	b := startBrowser(t)
	page := b.open(at.URL("/counter/"), nil)
	require.Equal(t, "0", page.text("#counter"))
	require.Equal(t, "Start", page.text("#toggle"))

	t.Run("Start counts to the maximum and stops", func(t *testing.T) {
		page.setMax("4")
		page.click("#toggle")
		page.until(`state.running && tasks.length === 1 && tasks[0].status === "running"`)
		require.Equal(t, "Stop", page.text("#toggle"))
		response, err := http.Get(get(page, chromedp.AttributeValue("#tasks a", "href")).Value)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
		page.until(idle)
		require.Equal(t, upTo(4), page.seen())
		require.Equal(t, "Start", page.text("#toggle"))
	})
	t.Run("Reset and another maximum act at once, also while it runs", func(t *testing.T) {
		page.setMax("50")
		page.click("#toggle")
		page.until(`state.counter === 6`)
		page.click("#reset")
		page.until(`state.counter < 2`)
		page.setMax("2")
		page.until(idle)
		require.Equal(t, "2", page.text("#counter"))
	})
	t.Run("Stop halts within a tick", func(t *testing.T) {
		page.setMax("50")
		page.click("#toggle")
		page.until(`state.counter === 4`)
		page.click("#toggle")
		page.until(idle)
		require.Equal(t, "4", page.text("#counter"))
	})
	t.Run("A second start does not double the pace", func(t *testing.T) {
		page.click("#reset")
		page.setMax("6")
		evaluate[int](page, "seen.length = 0")
		for range 3 { // start, stop, start: the task of the first start still runs
			page.click("#toggle")
		}
		page.until(`tasks.length === 1 && state.counter >= 1`)
		page.until(idle)
		values := page.seen()
		require.Equal(t, 6, values[len(values)-1])
		for i := 1; i < len(values); i++ {
			require.Equal(t, values[i-1]+1, values[i], "one step at a time: %v", values)
		}
	})
	t.Run("A second tab of the session shows the same", func(t *testing.T) {
		second := b.open(at.URL("/counter/"), page.session())
		require.Equal(t, "6", second.text("#counter"))
		second.click("#reset")
		page.until(`state.counter === 0`)
		page.setMax("2")
		page.click("#toggle")
		second.until(`state.counter === 2`)
		second.until(idle)
		require.Equal(t, page.text("#counter"), second.text("#counter"))
	})
	t.Run("Another session has its own", func(t *testing.T) {
		stranger := b.open(at.URL("/counter/"), nil)
		require.Equal(t, "0", stranger.text("#counter"))
		require.Equal(t, "2", page.text("#counter"))
	})
	t.Run("A reload keeps the session", func(t *testing.T) {
		page.do(chromedp.Reload(), chromedp.WaitEnabled("#toggle"))
		require.Equal(t, "2", page.text("#counter"))
	})
	t.Run("What does not fit is refused with a sentence", func(t *testing.T) {
		page.setMax("-3")
		get(page, chromedp.Poll[bool](`document.getElementById("problem").textContent !== ""`))
		require.Contains(t, page.text("#problem"), "the maximum must be 0 or more")
	})
}

// TestTheCounterSurvivesAKill kills the whole program in the middle of a run, with the page open.
func TestTheCounterSurvivesAKill(t *testing.T) {
	b := startBrowser(t)
	in := install(t, theExamples)
	in.Start()
	page := b.open(in.URL("/counter/"), nil)
	page.setMax("8")
	page.click("#toggle")
	page.until(`state.counter === 3`)
	in.Kill()
	page.until(`connection === "offline"`)
	in.Start()
	page.until(`connection === "online"`)
	page.until(idle)
	require.Equal(t, upTo(8), page.seen(), "each value once and in order")
	require.Equal(t, "8", page.text("#counter"))

	page.click("#reset") // and it works as before
	page.setMax("1")
	page.click("#toggle")
	page.until(`state.counter === 1`)
	page.until(idle)
}
