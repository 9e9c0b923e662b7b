package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"go.temporal.io/sdk/converter"
)

const (
	defaultMaxBody   = 8 << 20
	defaultSignInFor = 12 * time.Hour
)

// HandlerOptions are what may be said about the handler of [NewHandler]. The zero value lets the CLI in, and no Web UI.
type HandlerOptions struct {
	// Origins are where pages may ask from: the origin of each Web UI, exactly as a browser sends it, such as
	// http://localhost:8233 or https://temporal.example.com. None by default.
	Origins []string
	// MaxBody is how long the body of a request may be, in bytes; 8 MiB by default. A larger one is answered with 413. The Web UI sends
	// one event's payloads at a time, and Temporal keeps none of more than 2 MB, which base64 makes a third longer.
	MaxBody int64
	// SignInFor is how long a cookie is good for; 12 hours by default. It ends earlier for all when the token is changed.
	SignInFor time.Duration
}

// handler answers the CLI and the Web UI.
type handler struct {
	access  *access
	origins origins
	maxBody int64
	codec   http.Handler
	pages   http.Handler
}

// NewHandler returns a codec server: it answers POST to every path that ends in /decode or /encode, with a namespace in front or
// without, in Temporal's protocol for the Web UI and the CLI, and has a page at / to sign in and out. Mounted at another path
// than / it needs [http.StripPrefix], and the page the path's final slash.
//
// Whoever shows the token may have everything decrypted, and encrypted, which the CLI asks for when it sends signals and
// arguments. It is shown as "Authorization: Bearer TOKEN", or was entered on the page, which sets a cookie with the time of its
// expiry, signed; signing out makes the browser forget it. The token has at least 32 characters of printable ASCII; it appears in
// no answer, and nothing is logged. It is an error if the token is too short or an origin is not one.
//
// The handler is safe for concurrent use. It belongs behind TLS unless it listens on the loopback interface alone; a proxy in front passes
// Host on and sets X-Forwarded-Proto.
func NewHandler(c converter.PayloadCodec, token string, o HandlerOptions) (http.Handler, error) {
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.SignInFor <= 0 {
		o.SignInFor = defaultSignInFor
	}
	a, err := newAccess(token, o.SignInFor)
	if err != nil {
		return nil, err
	}
	origins, err := newOrigins(o.Origins)
	if err != nil {
		return nil, err
	}
	h := &handler{access: a, origins: origins, maxBody: o.MaxBody, pages: newPages(a)}
	h.codec = origins.protect(h.convert(converter.NewPayloadCodecHTTPHandler(c)))
	return h, nil
}

// ServeHTTP answers a request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	h.origins.allow(w, r)
	switch {
	case r.Method == http.MethodOptions: // a browser asks without any cookie
		w.WriteHeader(http.StatusNoContent)
	case isConversion(r.URL.Path):
		h.codec.ServeHTTP(w, r)
	default:
		h.pages.ServeHTTP(w, r)
	}
}

// isConversion looks at the path's end alone, as the protocol demands: what stands before is the client's way of naming a
// namespace.
func isConversion(path string) bool {
	return strings.HasSuffix(path, "/decode") || strings.HasSuffix(path, "/encode")
}

// convert lets next answer those who may ask.
func (h *handler) convert(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "OPTIONS, POST")
			http.Error(w, "Payloads are sent by POST.", http.StatusMethodNotAllowed)
			return
		}
		if !h.access.permits(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "Not signed in: send the access token as \"Authorization: Bearer TOKEN\", or open this server's own page in "+
				"the same browser and enter it there.", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.maxBody))
		if err != nil {
			refuseBody(w, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	}
}

// refuseBody says why the body was not read.
func refuseBody(w http.ResponseWriter, err error) {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		http.Error(w, fmt.Sprintf("The request is larger than %d bytes.", tooLarge.Limit), http.StatusRequestEntityTooLarge)
		return
	}
	http.Error(w, "The request could not be read.", http.StatusBadRequest)
}
