package codec_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-run/holdfast/codec"
)

const (
	token = "0123456789abcdef0123456789abcdef"
	webUI = "http://localhost:8233"
	self  = "http://localhost:8234"
)

// codecServer is a handler with what its answers are checked against.
type codecServer struct {
	http.Handler
	t       testing.TB
	plain   []*commonpb.Payload
	encoded []byte // the same as a client sends them
}

func newServer(t testing.TB, o codec.HandlerOptions) *codecServer {
	t.Helper()
	c := codec.New(parse(t, "a:"+newKey()))
	h, err := codec.NewHandler(c, token, o)
	require.NoError(t, err)
	s := &codecServer{Handler: h, t: t, plain: []*commonpb.Payload{plain(t, "a secret"), plain(t, 42)}}
	payloads, err := c.Encode(s.plain)
	require.NoError(t, err)
	s.encoded, err = protojson.Marshal(&commonpb.Payloads{Payloads: payloads})
	require.NoError(t, err)
	return s
}

func forWebUI(t testing.TB) *codecServer {
	t.Helper()
	return newServer(t, codec.HandlerOptions{Origins: []string{webUI, "https://temporal.example.com"}})
}

// do sends a request with headers written as name, value, name, value.
func (s *codecServer) do(method, target string, body io.Reader, headers ...string) *http.Response {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, self+target, body)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return s.serve(r)
}

func (s *codecServer) serve(r *http.Request) *http.Response {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.NotContains(s.t, w.Body.String(), token)
	for name, values := range w.Header() {
		require.NotContains(s.t, strings.Join(values, " "), token, name)
	}
	require.Equal(s.t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(s.t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Contains(s.t, w.Header().Values("Vary"), "Origin")
	return w.Result()
}

// decode asks as a client does.
func (s *codecServer) decode(headers ...string) *http.Response {
	s.t.Helper()
	return s.do(http.MethodPost, "/decode", bytes.NewReader(s.encoded), append(headers, "Content-Type", "application/json", "X-Namespace", "default")...)
}

// signIn returns the cookie that the page sets, as the browser sends it back.
func (s *codecServer) signIn() string {
	s.t.Helper()
	answer := s.post("/login", url.Values{"token": {token}}, "Origin", self)
	require.Equal(s.t, http.StatusSeeOther, answer.StatusCode)
	require.Len(s.t, answer.Cookies(), 1)
	return answer.Cookies()[0].Name + "=" + answer.Cookies()[0].Value
}

func (s *codecServer) post(target string, form url.Values, headers ...string) *http.Response {
	s.t.Helper()
	return s.do(http.MethodPost, target, strings.NewReader(form.Encode()), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

func (s *codecServer) requireDecoded(answer *http.Response) {
	s.t.Helper()
	got := read(s.t, answer)
	require.Equal(s.t, http.StatusOK, answer.StatusCode, got)
	var payloads commonpb.Payloads
	require.NoError(s.t, protojson.Unmarshal([]byte(got), &payloads))
	require.Len(s.t, payloads.GetPayloads(), len(s.plain))
	for i, p := range payloads.GetPayloads() {
		require.True(s.t, proto.Equal(s.plain[i], p), "%v", p)
	}
}

func read(t testing.TB, answer *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}

func requireRefused(t testing.TB, answer *http.Response) {
	t.Helper()
	require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	require.Equal(t, "Bearer", answer.Header.Get("WWW-Authenticate"))
	require.Contains(t, read(t, answer), "Not signed in")
}

func TestBearer(t *testing.T) {
	t.Parallel()
	s := newServer(t, codec.HandlerOptions{})
	s.requireDecoded(s.decode("Authorization", "Bearer "+token))
	s.requireDecoded(s.decode("Authorization", "bearer "+token))
	for _, wrong := range []string{"", token, "Basic " + token, "Bearer", "Bearer ", "Bearer " + token[1:], "Bearer " + token + "x", "Bearer  " + token} {
		requireRefused(t, s.decode("Authorization", wrong))
	}
	requireRefused(t, s.decode())
}

func TestPaths(t *testing.T) {
	t.Parallel()
	s := newServer(t, codec.HandlerOptions{})
	for _, path := range []string{"/decode", "/default/decode", "/a/b/decode", "/decode?preserveStorageRefs=true"} {
		answer := s.do(http.MethodPost, path, bytes.NewReader(s.encoded), "Authorization", "Bearer "+token)
		s.requireDecoded(answer)
		requireRefused(t, s.do(http.MethodPost, path, bytes.NewReader(s.encoded)))
	}
	for _, path := range []string{"/download", "/decoded", "/decode/", "/x"} {
		require.Equal(t, http.StatusNotFound, s.do(http.MethodPost, path, bytes.NewReader(s.encoded), "Authorization", "Bearer "+token).StatusCode, path)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		answer := s.do(method, "/decode", nil, "Authorization", "Bearer "+token)
		require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode, method)
		require.Equal(t, "OPTIONS, POST", answer.Header.Get("Allow"))
	}
	answer := s.do(http.MethodPost, "/decode", strings.NewReader("{"), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusBadRequest, answer.StatusCode)
}

// TestRemoteCodec lets the SDK's own client ask, which is the CLI's.
func TestRemoteCodec(t *testing.T) {
	t.Parallel()
	s := newServer(t, codec.HandlerOptions{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	remote := converter.NewRemotePayloadCodec(converter.RemotePayloadCodecOptions{
		Endpoint: server.URL + "/default",
		ModifyRequest: func(r *http.Request) error {
			r.Header.Set("X-Namespace", "default")
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		},
	})
	var many []*commonpb.Payload
	for i := range 10_000 { // a history at a time
		many = append(many, plain(t, i))
	}
	encoded, err := remote.Encode(many)
	require.NoError(t, err)
	require.Equal(t, "binary/encrypted", string(encoded[9_999].GetMetadata()["encoding"]))
	decoded, err := remote.Decode(encoded)
	require.NoError(t, err)
	require.Len(t, decoded, len(many))
	require.True(t, proto.Equal(many[9_999], decoded[9_999]))

	encoded[7].Data[20] ^= 1
	_, err = remote.Decode(encoded)
	require.ErrorContains(t, err, `decrypt payload 8 of 10000: key id "a"`)
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := newServer(t, codec.HandlerOptions{MaxBody: 1000})
	require.Less(t, len(s.encoded), 1000)
	exact := append(bytes.Clone(s.encoded), bytes.Repeat([]byte(" "), 1000-len(s.encoded))...)
	s.requireDecoded(s.do(http.MethodPost, "/decode", bytes.NewReader(exact), "Authorization", "Bearer "+token))
	answer := s.do(http.MethodPost, "/decode", bytes.NewReader(append(exact, ' ')), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
	require.Equal(t, "The request is larger than 1000 bytes.\n", read(t, answer))

	s = newServer(t, codec.HandlerOptions{})
	answer = s.do(http.MethodPost, "/decode", strings.NewReader(strings.Repeat(" ", 8<<20+1)), "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
	answer = s.post("/login", url.Values{"token": {strings.Repeat("x", 16<<10)}})
	require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := forWebUI(t)
	answer := s.post("/login", url.Values{"token": {token}}, "Origin", self, "Sec-Fetch-Site", "same-origin")
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	require.Equal(t, "./", answer.Header.Get("Location"))
	cookie := answer.Cookies()[0]
	require.True(t, cookie.HttpOnly)
	require.False(t, cookie.Secure)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.Equal(t, 12*60*60, cookie.MaxAge)
	require.Empty(t, cookie.Domain)

	sent := cookie.Name + "=" + cookie.Value
	s.requireDecoded(s.decode("Cookie", sent, "Origin", webUI, "Sec-Fetch-Site", "same-site"))
	s.requireDecoded(s.decode("Cookie", "a=b; "+cookie.Name+"=another's; "+sent))
	require.Contains(t, read(t, s.do(http.MethodGet, "/", nil, "Cookie", sent)), "You are signed in.")

	answer = s.post("/logout", nil, "Cookie", sent, "Origin", self)
	require.Equal(t, http.StatusSeeOther, answer.StatusCode)
	require.Equal(t, cookie.Name, answer.Cookies()[0].Name)
	require.Empty(t, answer.Cookies()[0].Value)
	require.Negative(t, answer.Cookies()[0].MaxAge)
}

func TestSignInRefuses(t *testing.T) {
	t.Parallel()
	s := forWebUI(t)
	for _, wrong := range []string{"", "x", token[1:], token + " "} {
		answer := s.post("/login?token="+token, url.Values{"token": {wrong}}, "Origin", self)
		require.Equal(t, http.StatusUnauthorized, answer.StatusCode)
		require.Empty(t, answer.Cookies())
		require.Contains(t, read(t, answer), `role="alert">That is not the access token.`)
	}
	// Nobody is signed in or out by another page, not even by the Web UI.
	for _, headers := range [][]string{
		{"Origin", "https://evil.example"},
		{"Origin", webUI},
		{"Origin", "null"},
		{"Origin", self, "Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
	} {
		for _, target := range []string{"/login", "/logout"} {
			answer := s.post(target, url.Values{"token": {token}}, headers...)
			require.Equal(t, http.StatusForbidden, answer.StatusCode)
			require.Empty(t, answer.Cookies())
		}
	}
	require.Equal(t, http.StatusMethodNotAllowed, s.do(http.MethodGet, "/login", nil).StatusCode)
	require.Equal(t, http.StatusMethodNotAllowed, s.do(http.MethodGet, "/logout", nil).StatusCode)
}

func TestSecureCookie(t *testing.T) {
	t.Parallel()
	s := forWebUI(t)
	for proto, secure := range map[string]bool{"https": true, "HTTPS": true, "https, http": true, "http": false, "http, https": false, "": false} {
		answer := s.post("/login", url.Values{"token": {token}}, "X-Forwarded-Proto", proto)
		require.Equal(t, secure, answer.Cookies()[0].Secure, proto)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", strings.NewReader("token="+token))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.TLS = &tls.ConnectionState{}
	require.True(t, s.serve(r).Cookies()[0].Secure)
}

func TestCookieExpires(t *testing.T) {
	t.Parallel()
	for lifetime, o := range map[time.Duration]codec.HandlerOptions{12 * time.Hour: {}, time.Minute: {SignInFor: time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t, o)
			cookie := s.signIn()
			time.Sleep(lifetime - time.Second)
			s.requireDecoded(s.decode("Cookie", cookie))
			time.Sleep(time.Second)
			requireRefused(t, s.decode("Cookie", cookie))
			require.NotContains(t, read(t, s.do(http.MethodGet, "/", nil, "Cookie", cookie)), "You are signed in.")
		})
	}
}

func TestForgedCookie(t *testing.T) {
	t.Parallel()
	s := newServer(t, codec.HandlerOptions{})
	name, value, _ := strings.Cut(s.signIn(), "=")
	expiry, signature, _ := strings.Cut(value, ".")
	other, err := codec.NewHandler(codec.New(codec.Keys{}), token+"x", codec.HandlerOptions{})
	require.NoError(t, err)
	foreign := (&codecServer{Handler: other, t: t}).post("/login", url.Values{"token": {token + "x"}}).Cookies()[0].Value
	for _, forged := range []string{
		"", ".", expiry, expiry + ".", "." + signature, "9" + expiry + "." + signature, expiry + "0." + signature,
		expiry + "." + signature[1:], expiry + "." + signature + "A", value + "." + signature, foreign, token,
	} {
		requireRefused(t, s.decode("Cookie", name+"="+forged))
	}
	requireRefused(t, s.decode("Cookie", "other="+value))
	requireRefused(t, s.decode("Authorization", "Bearer "+value))
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	s := forWebUI(t)
	for _, origin := range []string{webUI, "https://temporal.example.com"} {
		answer := s.do(http.MethodOptions, "/default/decode", nil, "Origin", origin, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "content-type,x-namespace")
		require.Equal(t, http.StatusNoContent, answer.StatusCode)
		require.Equal(t, map[string][]string{
			"Access-Control-Allow-Origin":      {origin},
			"Access-Control-Allow-Credentials": {"true"},
			"Access-Control-Allow-Methods":     {"POST"},
			"Access-Control-Allow-Headers":     {"Authorization, Authorization-Extras, Content-Type, X-Namespace"},
			"Access-Control-Max-Age":           {"600"},
		}, corsOf(answer))
	}
}

// corsOf returns what the answer tells the browser about other origins.
func corsOf(answer *http.Response) map[string][]string {
	headers := map[string][]string(answer.Header.Clone())
	maps.DeleteFunc(headers, func(name string, _ []string) bool { return !strings.HasPrefix(name, "Access-Control-") })
	return headers
}

func TestOrigins(t *testing.T) {
	t.Parallel()
	s := forWebUI(t)
	cookie := s.signIn()
	// Also an error must be readable for the Web UI.
	for _, answer := range []*http.Response{s.decode("Origin", webUI, "Cookie", cookie), s.decode("Origin", webUI), s.do(http.MethodGet, "/decode", nil, "Origin", webUI)} {
		require.Equal(t, webUI, answer.Header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "true", answer.Header.Get("Access-Control-Allow-Credentials"))
	}
	for _, origin := range []string{
		"http://localhost:8080", "https://localhost:8233", "http://localhost:82333", "http://LOCALHOST:8233", "http://evil.example", "null",
		"https://temporal.example.com.evil.example", "*",
	} {
		require.Empty(t, corsOf(s.do(http.MethodOptions, "/decode", nil, "Origin", origin, "Access-Control-Request-Method", "POST")), origin)
		for _, headers := range [][]string{{"Cookie", cookie}, {"Authorization", "Bearer " + token}, {"Cookie", cookie, "Sec-Fetch-Site", "same-site"}} {
			answer := s.decode(append(headers, "Origin", origin)...)
			require.Equal(t, http.StatusForbidden, answer.StatusCode, origin)
			require.Empty(t, corsOf(answer))
			require.Contains(t, read(t, answer), "may not ask")
		}
	}
	require.Empty(t, corsOf(newServer(t, codec.HandlerOptions{}).decode("Origin", webUI)))
}

func TestPage(t *testing.T) {
	t.Parallel()
	s := forWebUI(t)
	answer := s.do(http.MethodGet, "/", nil)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "text/html; charset=utf-8", answer.Header.Get("Content-Type"))
	require.Equal(t, "DENY", answer.Header.Get("X-Frame-Options"))
	require.Equal(t, "same-origin", answer.Header.Get("Referrer-Policy"))
	policy := regexp.MustCompile(`^default-src 'none'; style-src 'nonce-([A-Z2-7]+)'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$`)
	nonce := policy.FindStringSubmatch(answer.Header.Get("Content-Security-Policy"))
	require.NotNil(t, nonce)
	body := read(t, answer)
	require.Contains(t, body, `<style nonce="`+nonce[1]+`">`)
	require.Contains(t, body, `<form method="post" action="login">`)
	require.NotContains(t, body, "You are signed in.")
	require.NotContains(t, s.do(http.MethodGet, "/", nil).Header.Get("Content-Security-Policy"), nonce[1])
}

// TestBelowAPrefix goes the browser's way, with its idea of a cookie's path.
func TestBelowAPrefix(t *testing.T) {
	t.Parallel()
	s := forWebUI(t)
	mux := http.NewServeMux()
	mux.Handle("/codec/", http.StripPrefix("/codec", s))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	browser := server.Client()
	browser.Jar = newJar(t)

	answer, err := browser.PostForm(server.URL+"/codec/login", url.Values{"token": {token}})
	require.NoError(t, err)
	require.Equal(t, "/codec/", answer.Request.URL.Path)
	require.Contains(t, read(t, answer), "You are signed in.")
	require.NoError(t, answer.Body.Close())
	answer, err = browser.Post(server.URL+"/codec/default/decode", "application/json", bytes.NewReader(s.encoded))
	require.NoError(t, err)
	s.requireDecoded(answer)
	require.NoError(t, answer.Body.Close())
	answer, err = browser.PostForm(server.URL+"/codec/logout", nil)
	require.NoError(t, err)
	require.NotContains(t, read(t, answer), "You are signed in.")
	require.NoError(t, answer.Body.Close())
}

func TestNewHandlerRefuses(t *testing.T) {
	t.Parallel()
	for token, says := range map[string]string{
		"":                                 "0 characters; expected at least 32",
		token[1:]:                          "31 characters; expected at least 32",
		token + "\n":                       "printable ASCII",
		"0123456789 abcdef 0123456789abcd": "printable ASCII",
		strings.Repeat("ä", 32):            "printable ASCII",
	} {
		_, err := codec.NewHandler(codec.New(codec.Keys{}), token, codec.HandlerOptions{})
		require.ErrorContains(t, err, says)
		if token != "" {
			require.NotContains(t, err.Error(), token)
		}
	}
	for _, origin := range []string{
		"", "*", "null", "localhost:8233", "//localhost", "http://", "http://:80", "http://localhost:8233/", "http://localhost/ui", "http://localhost?", "http://localhost#a",
		"http://user@localhost", "http://LOCALHOST", "HTTP://localhost", "http://localhost:80", "https://localhost:443", "http://localhost:", "ftp://localhost",
		"https://*.example.com", " http://localhost",
	} {
		_, err := codec.NewHandler(codec.New(codec.Keys{}), token, codec.HandlerOptions{Origins: []string{webUI, origin}})
		require.ErrorContains(t, err, "is not an origin; expected", origin)
	}
	_, err := codec.NewHandler(codec.New(codec.Keys{}), token, codec.HandlerOptions{Origins: []string{"http://[::1]:8233", "https://a.example", "http://localhost:443"}})
	require.NoError(t, err)
}

func newJar(t testing.TB) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return jar
}
