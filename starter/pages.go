package starter

import (
	"bytes"
	_ "embed" // the client
	"html/template"
	"maps"
	"net/http"
	"slices"
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
		mux.Handle("GET /"+name+"/", http.StripPrefix("/"+name, files(app)))
	}
	return mux
}

// files serves an app's page. A browser asks each time whether it has changed, so that a deploy is seen at once.
func files(app *holdfast.App) http.Handler {
	if app.Files() == nil {
		return http.NotFoundHandler()
	}
	server := http.FileServerFS(app.Files())
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
