package codec_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/codec"
)

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
