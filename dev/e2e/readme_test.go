package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var firstGoBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$") //nolint:gocritic // m has ^ begin a line

// TestReadme_ProgramWorksInABrowser runs the README's program, which has no page of its own, and uses its plain page, at its address and
// under a prefix.
func TestReadme_ProgramWorksInABrowser(t *testing.T) {
	in := installReadme(t)
	in.Start()
	target, err := url.Parse(in.URL(""))
	require.NoError(t, err)
	proxy := httptest.NewServer(http.StripPrefix("/behind/a/proxy", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // web sockets of the page's own host are let in
		},
	}))
	t.Cleanup(proxy.Close)
	b := startBrowser(t)
	ends := func(page *tab) {
		page.until(`state.counter === 10 && tasks.length === 0`)
		require.Contains(page.t, page.text("#state"), `"counter": 10`)
	}
	cancels := func(page *tab) {
		page.click(`#tasks button`)
		page.until(`tasks.length === 0`)
		require.Less(page.t, evaluate[int](page, `holdfast.getSnapshot().state.counter`), 10)
	}
	for address, ending := range map[string]func(*tab){in.URL("/mini"): ends, proxy.URL + "/behind/a/proxy/mini": cancels} {
		t.Run(address, func(t *testing.T) {
			response, err := http.Get(address + "/")
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusOK, response.StatusCode)
			page := b.openPage(address, `form[data-event="Start"] button`, nil)
			page.t = t
			page.until(`state && state.counter === 0`)
			require.Contains(t, page.text("#state"), `"max": 10`)
			page.click(`form[data-event="Start"] button`)
			page.until(`state.counter > 0 && tasks.length === 1`)
			require.Contains(t, page.text("#tasks"), "Count")
			page.do(chromedp.WaitVisible("#tasks a")) // the task in Temporal
			ending(page)
			require.Empty(t, page.text("#problem"))
			page.close()
		})
	}
	in.Stop()
}

// installReadme installs the program of the README: only the compiler sees it, through an overlay.
func installReadme(t *testing.T) *installation {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	block := firstGoBlock.FindStringSubmatch(string(text))
	require.NotNil(t, block)
	shown := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(shown, []byte(block[1]), 0o600))
	dir, err := filepath.Abs("readme")
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(dir, "main.go"): shown}})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "overlay.json")
	require.NoError(t, os.WriteFile(file, overlay, 0o600))
	return install(t, "./readme", "-overlay", file)
}
