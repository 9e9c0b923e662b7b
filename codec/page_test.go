package codec_test

import (
	"bytes"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

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
	require.Equal(t, http.StatusUnauthorized, s.post("/login?token="+token, nil, "Origin", self).StatusCode, "a token is not to be in an address")
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

func newJar(t testing.TB) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return jar
}
