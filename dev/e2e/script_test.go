package e2e_test

import (
	"embed"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	temporalclient "go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/examples/counter"
	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

//go:embed script
var script embed.FS

// TestTheJavaScriptClient runs the tests of script/holdfast_test.js in the browser.
func TestTheJavaScriptClient(t *testing.T) {
	b := startBrowser(t)
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	page := &tab{t: t, ctx: ctx}
	page.do(chromedp.Navigate(serveScript(t) + "script/"))
	names := evaluate[[]string](page, `import("/script/holdfast_test.js").then((tests) => { window.tests = tests; return Object.keys(tests); })`)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			problem := evaluate[string](page, `Promise.race([
				Promise.resolve().then(() => tests[`+quote(name)+`]()).then(() => ""),
				new Promise((resolve) => setTimeout(() => resolve("it waits for something that does not come"), 20000)),
			]).catch((error) => error.stack)`)
			require.Empty(t, problem)
		})
	}
}

// serveScript serves the client as the starter does, and the tests beside it.
func serveScript(t *testing.T) string {
	t.Helper()
	service := state.Open(memory.New(), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	temporal, err := temporalclient.NewLazyClient(temporalclient.Options{HostPort: "127.0.0.1:1"})
	require.NoError(t, err)
	t.Cleanup(temporal.Close)
	s, err := starter.New(starter.Options{State: service, Temporal: temporal, Apps: []*holdfast.App{counter.App()}, SessionKey: make([]byte, 32)})
	require.NoError(t, err)
	tests, err := fs.Sub(script, "script")
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/holdfast.js", s)
	mux.Handle("/script/", http.StripPrefix("/script/", http.FileServerFS(tests)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/"
}
