package starter

import (
	"bytes"
	_ "embed" // the client
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/holdfast-run/holdfast"
)

//go:embed client/holdfast.js
var clientModule []byte

//go:embed index.html
var indexPage string

// routes are the starter's addresses.
func (s *Starter) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index())
	mux.HandleFunc("GET /holdfast.js", serveClient)
	for name, app := range s.apps {
		mux.HandleFunc("GET /"+name+"/socket", s.socket(app))
		mux.HandleFunc("POST /"+name+"/socket", s.mayConnect)
		mux.HandleFunc("GET /"+name, redirectTo(name+"/"))
		mux.Handle("GET /"+name+"/", http.StripPrefix("/"+name, files(app)))
	}
	return mux
}

// ServeHTTP serves pages, the client and web sockets. Links and redirects are relative, so a starter may be served under any
// prefix that a proxy or http.StripPrefix takes away.
func (s *Starter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, _, _ := strings.Cut(r.RequestURI, "?")
	if r.URL.Path == "" && !strings.HasSuffix(asked, "/") { // the prefix itself, without its last slash
		redirectTo(path.Base(asked)+"/")(w, r)
		return
	}
	r = rooted(r)
	if at := r.URL.Path; at != "/" && strings.TrimSuffix(at, "/") != path.Clean(at) {
		http.NotFound(w, r) // the mux would redirect, to an absolute path
		return
	}
	s.mux.ServeHTTP(w, r)
}

// rooted is the request with a path that begins with a slash, which a prefix may have taken away with it.
func rooted(r *http.Request) *http.Request {
	if strings.HasPrefix(r.URL.Path, "/") {
		return r
	}
	at := *r.URL
	at.Path = "/" + at.Path
	if at.RawPath != "" {
		at.RawPath = "/" + at.RawPath
	}
	r = r.Clone(r.Context())
	r.URL = &at
	return r
}

// redirectTo redirects to a relative address, with the query of the request.
func redirectTo(address string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		to := url.URL{Path: "./" + address, RawQuery: r.URL.RawQuery}
		w.Header().Set("Location", to.String())
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// files serves an app's page, or a plain one. A browser asks each time whether it has changed, so that a deploy is seen at once.
func files(app *holdfast.App) http.Handler {
	server := plainPage(app)
	if app.Files() != nil {
		server = http.FileServerFS(app.Files())
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noCache(w)
		server.ServeHTTP(w, r)
	})
}

func serveClient(w http.ResponseWriter, r *http.Request) {
	noCache(w)
	http.ServeContent(w, r, "holdfast.js", time.Time{}, bytes.NewReader(clientModule))
}

func noCache(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

// index lists the apps.
func (s *Starter) index() http.HandlerFunc {
	page := template.Must(template.New("index").Parse(indexPage))
	names := slices.Sorted(maps.Keys(s.apps))
	return func(w http.ResponseWriter, r *http.Request) {
		noCache(w)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := page.Execute(w, names); err != nil {
			s.log.DebugContext(r.Context(), "the list of apps could not be sent", "err", err)
		}
	}
}
