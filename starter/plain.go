package starter

import (
	"bytes"
	"embed"
	"encoding/json"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"github.com/holdfast-run/holdfast"
)

//go:embed plain
var plainFiles embed.FS

// plainPolicy lets the plain page load its own files and talk to its own starter, and nothing else.
const plainPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// eventList is what the plain page gets of the app's events.
type eventList struct {
	Events []eventForm `json:"events"`
}

type eventForm struct {
	Name  string `json:"name"`
	Input string `json:"input,omitempty"` // the kind of JSON that it takes
}

// plainPage is the page of an app that has none of its own.
func plainPage(app *holdfast.App) http.Handler {
	files, err := fs.Sub(plainFiles, "plain")
	if err != nil {
		panic(err) // the files are part of the program
	}
	var index bytes.Buffer
	if err := template.Must(template.ParseFS(files, "index.html")).Execute(&index, app.Name()); err != nil {
		panic(err)
	}
	list := eventList{Events: []eventForm{}}
	for event := range app.AllEvents() {
		list.Events = append(list.Events, eventForm{Name: event.Name(), Input: event.InputKind()})
	}
	events, err := json.Marshal(list)
	if err != nil {
		panic(err) // names
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", serveText("index.html", index.Bytes()))
	mux.HandleFunc("GET /events.json", serveText("events.json", events))
	mux.Handle("GET /plain.js", http.FileServerFS(files))
	mux.Handle("GET /plain.css", http.FileServerFS(files))
	return mux
}

// serveText serves a file whose type its name tells.
func serveText(name string, text []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", plainPolicy)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
	}
}
