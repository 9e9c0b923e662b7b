package codec

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// origins are the pages that may ask, as browsers name them.
type origins map[string]bool

func newOrigins(list []string) (origins, error) {
	set := origins{}
	for _, origin := range list {
		if !isOrigin(origin) {
			return nil, fmt.Errorf("codec: %q is not an origin; expected http:// or https:// with a host in small letters and, unless it is the usual one, "+
				"a port, and nothing after it", origin)
		}
		set[origin] = true
	}
	return set, nil
}

// isOrigin reports whether a browser could send it: an origin that is written in another way would never be met.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || strings.HasSuffix(u.Host, ":") || strings.Contains(text, "*") {
		return false
	}
	usual := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return usual != "" && u.Port() != usual && text == u.Scheme+"://"+u.Host && text == strings.ToLower(text)
}

// allow tells the browser that the page may ask and read the answer, if it is one of ours. What the Web UI sends is all that it
// may send; Authorization-Extras comes with its user's own token.
func (o origins) allow(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !o[origin] {
		return
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Allow-Credentials", "true")
	if r.Method == http.MethodOptions {
		header.Set("Access-Control-Allow-Methods", "POST")
		header.Set("Access-Control-Allow-Headers", "Authorization, Authorization-Extras, Content-Type, X-Namespace")
		header.Set("Access-Control-Max-Age", "600")
	}
}

// protect refuses what a page of another origin has the browser send. Such a page could not read the answer; but what
// comes with somebody's cookie against his will is not to be worked on either.
func (o origins) protect(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "A page of this origin may not ask: it is not among the origins this server was given.", http.StatusForbidden)
	}))
	guarded := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o[r.Header.Get("Origin")] {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}
