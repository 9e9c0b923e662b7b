package e2e_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// chromium is the installed browser. Where there is none the test is skipped, or fails where all must run.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const sentence = "this test needs Chromium: install the package chromium (apt-get install chromium)"
	if os.Getenv("HOLDFAST_TEST_REQUIRE") != "" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
	return ""
}

// browser is a running browser; tabs are opened in it.
type browser struct {
	t   testing.TB
	ctx context.Context
}

func startBrowser(t testing.TB) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.NoSandbox,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
	)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return &browser{t: t, ctx: ctx}
}

// tab is one page.
type tab struct {
	t     testing.TB
	ctx   context.Context
	close context.CancelFunc // closes it, as its user does
}

// open opens the counter in a tab. session, if given, is the content of another tab's sessionStorage, which a duplicated tab has
// too.
func (b *browser) open(url string, session map[string]string) *tab {
	b.t.Helper()
	t := b.openPage(url, "#toggle", session)
	// From here on every value of the counter that the page is shown is kept.
	evaluate[any](t, `window.seen = []; holdfast.subscribe(({ state }) => {
		if (seen.at(-1) !== state.counter) seen.push(state.counter);
	}); 0`)
	return t
}

// openPage opens a page in a tab and waits until an element is enabled.
func (b *browser) openPage(url, ready string, session map[string]string) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	t := &tab{t: b.t, ctx: ctx, close: cancel}
	if session != nil {
		t.do(chromedp.Navigate(url + "page.css")) // a document of the same origin that does not connect
		for key, value := range session {
			evaluate[any](t, "sessionStorage.setItem("+quote(key)+", "+quote(value)+")")
		}
	}
	t.do(chromedp.Navigate(url), chromedp.WaitEnabled(ready))
	return t
}

func quote(text string) string {
	raw, _ := json.Marshal(text) //nolint:errchkjson // a string
	return string(raw)
}

// do runs actions that give nothing.
func (t *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	t.t.Helper()
	require.NoError(t.t, chromedp.Do(t.ctx, actions...))
}

// get runs an action that gives something.
func get[T any](t *tab, action chromedp.Action[T]) T {
	t.t.Helper()
	value, err := chromedp.Run(t.ctx, action)
	require.NoError(t.t, err)
	return value
}

// evaluate gives the value of an expression, of a promise when it is fulfilled.
func evaluate[T any](t *tab, expression string) T {
	t.t.Helper()
	return get(t, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// click clicks a button as a user does.
func (t *tab) click(selector string) {
	t.t.Helper()
	t.do(chromedp.Click(selector))
}

// setMax types a maximum. As with a user the field has the focus first: without it the page shows in it what the state says.
func (t *tab) setMax(text string) {
	t.t.Helper()
	t.do(chromedp.Focus("#max"), chromedp.SetValue("#max", ""), chromedp.SendKeys("#max", text), chromedp.Blur("#max"))
}

// until waits until the page's snapshot makes the JavaScript condition over {state, states, tasks, connection} true.
func (t *tab) until(condition string) {
	t.t.Helper()
	evaluate[bool](t, `new Promise((resolve) => {
		let stop = () => {};
		let over = false;
		const check = ({ state, states, tasks, connection }) => { if (`+condition+`) { over = true; stop(); resolve(true); } };
		stop = holdfast.subscribe(check);
		if (over) stop();
	})`)
}

// text is what an element shows.
func (t *tab) text(selector string) string {
	t.t.Helper()
	return get(t, chromedp.Text(selector))
}

// seen are the values of the counter that the page was shown since it was opened.
func (t *tab) seen() []int {
	t.t.Helper()
	return evaluate[[]int](t, "seen")
}

// session is the tab's sessionStorage.
func (t *tab) session() map[string]string {
	t.t.Helper()
	return evaluate[map[string]string](t, "({...sessionStorage})")
}
