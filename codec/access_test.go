package codec_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/codec"
)

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
