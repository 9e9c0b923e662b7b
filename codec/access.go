package codec

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// minToken is the least length of the access token, in characters.
const minToken = 32

// cookieName is what the browser knows the cookie by.
const cookieName = "holdfast-codec"

// access decides who may have payloads decrypted. It is kept behind a pointer wherever it is kept, so that nothing prints it.
type access struct {
	token    [sha256.Size]byte // of the access token
	key      []byte            // signs cookies
	lifetime time.Duration     // of a cookie
}

func newAccess(token string, lifetime time.Duration) (*access, error) {
	if len(token) < minToken {
		return nil, fmt.Errorf("codec: the access token has %d characters; expected at least %d (openssl rand -hex 32)", len(token), minToken)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("codec: the access token has a space, a line's end or another character that a header cannot carry; " +
			"expected printable ASCII alone")
	}
	key, err := hkdf.Key(sha256.New, []byte(token), nil, "holdfast codec cookie", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("codec: derive the key of cookies: %w", err)
	}
	return &access{token: sha256.Sum256([]byte(token)), key: key, lifetime: lifetime}, nil
}

// permits reports whether the request brings the access token, or a cookie that somebody got for it.
func (a *access) permits(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && a.isToken(token) || a.hasCookie(r)
}

// isToken compares hashes, which are of one length, in a time that does not depend on them.
func (a *access) isToken(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], a.token[:]) == 1
}

// hasCookie looks at all cookies of the name: another program on the same host can set one beside ours.
func (a *access) hasCookie(r *http.Request) bool {
	for _, cookie := range r.CookiesNamed(cookieName) {
		if a.isValid(cookie.Value) {
			return true
		}
	}
	return false
}

// isValid reports whether the value was made here and has not expired.
func (a *access) isValid(value string) bool {
	expiry, signature, _ := strings.Cut(value, ".")
	if !hmac.Equal([]byte(signature), []byte(a.sign(expiry))) {
		return false
	}
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	return err == nil && time.Now().Unix() < seconds
}

// cookie returns a new one. It has no path: a browser then returns it to everything beside the page that set it, wherever
// the handler is mounted.
func (a *access) cookie(r *http.Request) *http.Cookie {
	expiry := strconv.FormatInt(time.Now().Add(a.lifetime).Unix(), 10)
	return a.bare(r, expiry+"."+a.sign(expiry), int(a.lifetime.Seconds()))
}

// noCookie returns what makes the browser forget the cookie.
func (a *access) noCookie(r *http.Request) *http.Cookie { return a.bare(r, "", -1) }

func (*access) bare(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is for TLS; on the loopback interface there is none
		Name: cookieName, Value: value, MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: isSecure(r),
	}
}

// isSecure reports whether the browser speaks TLS, to us or to a proxy in front. Who pretends so harms his own cookie.
func isSecure(r *http.Request) bool {
	outermost, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return r.TLS != nil || strings.EqualFold(strings.TrimSpace(outermost), "https")
}

func (a *access) sign(expiry string) string {
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte(expiry))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
