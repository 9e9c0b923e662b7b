package starter_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

// get follows redirects and returns where they led, the body and the header.
func get(t *testing.T, address string) (at *url.URL, body string, header http.Header) {
	t.Helper()
	response, err := http.Get(address)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode, address)
	return response.Request.URL, string(text), response.Header
}

func TestPages_WorkUnderAnyPrefix(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	target, err := url.Parse(b.server.URL)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		prefix  string
		handler http.Handler
	}{
		"none":                      {"", b},
		"taken away":                {"/some/prefix", http.StripPrefix("/some/prefix", b)},
		"taken away with its slash": {"/some/prefix", withoutSlash("/some/prefix", b)},
		"taken away by a proxy": {"/some/prefix", http.StripPrefix("/some/prefix", &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.handler)
			t.Cleanup(server.Close)
			at, body, _ := get(t, server.URL+c.prefix+"/")
			require.Equal(t, c.prefix+"/", at.Path)
			require.Contains(t, body, `href="test/"`)
			for _, asked := range []string{"/test?a=b", "/test/?a=b", "/test/index.html?a=b"} {
				at, body, _ = get(t, server.URL+c.prefix+asked)
				require.Equal(t, c.prefix+"/test/", at.Path, asked)
				require.Equal(t, "a=b", at.RawQuery, asked)
				require.Contains(t, body, "the page")
			}
			_, body, _ = get(t, at.ResolveReference(&url.URL{Path: "../holdfast.js"}).String())
			require.Contains(t, body, "export function connect")
			conn, _, err := websocket.Dial(t.Context(), server.URL+c.prefix+"/test/socket", &websocket.DialOptions{Subprotocols: []string{"holdfast.v1"}})
			require.NoError(t, err)
			require.NoError(t, conn.CloseNow())
		})
	}
	server := httptest.NewServer(http.StripPrefix("/some/prefix", b))
	t.Cleanup(server.Close)
	at, _, _ := get(t, server.URL+"/some/prefix")
	require.Equal(t, "/some/prefix/", at.Path)
}

// withoutSlash takes away a prefix together with the slash after it.
func withoutSlash(prefix string, handler http.Handler) http.Handler {
	return http.StripPrefix(prefix+"/", handler)
}

func TestPages_RedirectNowhereElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, path := range []string{"//test/", "/test//", "/test/../test/", "//evil.example/test", "/nothing"} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		request.URL.Path, request.RequestURI = path, path
		answer := httptest.NewRecorder()
		b.ServeHTTP(answer, request)
		require.Equal(t, http.StatusNotFound, answer.Code, path)
	}
}

func TestPlainPage_IsThereForAnAppWithoutItsOwn(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("bare", State{})
	app.Events(Increment, Add, Say, Sit)
	app.Tasks(Task)
	b := newBenchOf(t, app)
	_, body, header := get(t, b.server.URL+"/bare/")
	require.Contains(t, body, "<h1>bare</h1>")
	require.NotContains(t, body, "<style")
	require.NotContains(t, body, "http://", "nothing from elsewhere")
	require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Equal(t, "no-cache", header.Get("Cache-Control"))

	_, list, header := get(t, b.server.URL+"/bare/events.json")
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.JSONEq(t, `{"events":[{"name":"Add","input":"number"},{"name":"Increment"},{"name":"Say","input":"string"},{"name":"Sit","input":"object"}]}`, list)
	for _, file := range []string{"plain.js", "plain.css"} {
		require.Contains(t, body, `"`+file+`"`)
		get(t, b.server.URL+"/bare/"+file)
	}
	own := newBench(t)
	response, err := http.Get(own.server.URL + "/test/events.json")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusNotFound, response.StatusCode, "an app's own page says what it wants to")
}
