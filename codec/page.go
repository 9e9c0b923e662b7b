package codec

import (
	"bytes"
	"crypto/rand"
	_ "embed" // the page
	"html/template"
	"net/http"
	"strconv"
)

//go:embed page.html
var pageHTML string

// maxForm is how long the form of the page may be, in bytes.
const maxForm = 16 << 10

// pages are where a person signs in and out.
type pages struct {
	access *access
	page   *template.Template
}

// shown is what the page is made from.
type shown struct {
	SignedIn bool
	Problem  string
	Nonce    string
}

// newPages returns the pages. A form that a page of another origin posts is refused, one of the Web UI's too.
func newPages(a *access) http.Handler {
	p := &pages{access: a, page: template.Must(template.New("page").Parse(pageHTML))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.HandleFunc("POST /login", p.signIn)
	mux.HandleFunc("POST /logout", p.signOut)
	return origins{}.protect(mux)
}

func (p *pages) show(w http.ResponseWriter, r *http.Request) {
	p.write(w, http.StatusOK, shown{SignedIn: p.access.hasCookie(r)})
}

func (p *pages) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		refuseBody(w, err)
		return
	}
	if !p.access.isToken(r.PostForm.Get("token")) {
		p.write(w, http.StatusUnauthorized, shown{Problem: "That is not the access token."})
		return
	}
	http.SetCookie(w, p.access.cookie(r))
	toPage(w)
}

func (p *pages) signOut(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, p.access.noCookie(r))
	toPage(w)
}

// toPage leads back. http.Redirect would make an absolute path, which is wrong where a prefix was taken off.
func toPage(w http.ResponseWriter) {
	w.Header().Set("Location", "./")
	w.WriteHeader(http.StatusSeeOther)
}

func (p *pages) write(w http.ResponseWriter, status int, s shown) {
	s.Nonce = rand.Text()
	var body bytes.Buffer
	if err := p.page.Execute(&body, s); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set("Content-Security-Policy",
		"default-src 'none'; style-src 'nonce-"+s.Nonce+"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Frame-Options", "DENY")
	// Not no-referrer: a browser would then post the form with the origin "null", which is refused where Sec-Fetch-Site is missing.
	header.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // who is gone does not mind
}
