package starter

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// maxHeader bounds, in bytes, each header of a handshake that an answer could repeat.
const maxHeader = 4 << 10

// handshakeError is why a handshake is refused, and with which HTTP status.
type handshakeError struct {
	status int
	reason string
}

// checkHandshake says whether the request may become a web socket of the app.
func (s *Starter) checkHandshake(r *http.Request) *handshakeError {
	for _, name := range []string{"Connection", "Upgrade", "Origin", "Sec-WebSocket-Version", "Sec-WebSocket-Key", "Sec-WebSocket-Extensions"} {
		if len(strings.Join(r.Header.Values(name), ",")) > maxHeader {
			return &handshakeError{http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("the header %s is longer than %d bytes", name, maxHeader)}
		}
	}
	if !slices.Contains(offered(r), subprotocol) {
		return &handshakeError{
			http.StatusBadRequest,
			fmt.Sprintf("this is a web socket of the subprotocol %q; the request offers %s", subprotocol, quotedAll(offered(r))),
		}
	}
	return s.checkOrigin(r)
}

// checkOrigin refuses a page of a host that is neither the request's own nor one of Options.Origins.
func (s *Starter) checkOrigin(r *http.Request) *handshakeError {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil // not a browser
	}
	at, err := url.Parse(origin)
	if err == nil && (strings.EqualFold(at.Host, r.Host) || slices.ContainsFunc(s.opts.Origins, func(pattern string) bool { return matches(pattern, at) })) {
		return nil
	}
	return &handshakeError{http.StatusForbidden, fmt.Sprintf("a page of the origin %s may not connect to %s", quoted(origin), quoted(r.Host))}
}

func matches(pattern string, origin *url.URL) bool {
	host := origin.Host
	if strings.Contains(pattern, "://") {
		host = origin.Scheme + "://" + host
	}
	matched, err := path.Match(strings.ToLower(pattern), strings.ToLower(host))
	return err == nil && matched
}

// offered are the subprotocols that the request offers.
func offered(r *http.Request) []string {
	var all []string
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for one := range strings.SplitSeq(line, ",") {
			all = append(all, strings.TrimSpace(one))
		}
	}
	return all
}

// mayConnect tells a page whether it would get its web socket. A browser does not say why a handshake was refused; the page
// asks the same address by POST, which carries its origin, and any page may read the answer: it says nothing else.
func (s *Starter) mayConnect(w http.ResponseWriter, r *http.Request) {
	noCache(w)
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if refused := s.checkOrigin(r); refused != nil {
		http.Error(w, refused.reason, refused.status)
		return
	}
	if s.ctx.Err() != nil {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
