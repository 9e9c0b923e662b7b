package command

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const aCodecToken = "a-token-of-thirty-two-characters-and-more"

// codecServer runs one until the test ends, or stop is called, and returns its address and its environment.
func codecServer(t *testing.T) (address string, environ []string, stop func()) {
	t.Helper()
	environ = []string{
		"HOLDFAST_TEMPORAL_ENCRYPTION_KEYS=one:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		"HOLDFAST_CODEC_TOKEN=" + aCodecToken, "HOLDFAST_CODEC_ADDRESS=127.0.0.1:0",
	}
	ctx, cancel := context.WithCancel(t.Context())
	said := make(lines, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- (&Program{Name: "test", Environ: environ, Stdout: said, Stderr: io.Discard}).Run(ctx, []string{"codec"})
		close(ended)
	}()
	stop = func() {
		cancel()
		require.NoError(t, <-ended)
	}
	t.Cleanup(stop)
	select {
	case line := <-said:
		_, address, _ = strings.Cut(strings.TrimSuffix(line, "/\n"), "Ready: http://")
	case err := <-ended:
		require.NoError(t, err)
	}
	require.NotEmpty(t, address)
	environ[2] = "HOLDFAST_CODEC_ADDRESS=" + address
	return address, environ, stop
}

func TestTheCodecServerIsAskedForItsHealth(t *testing.T) {
	t.Parallel()
	_, environ, stop := codecServer(t)
	out, err := run(t, environ[2:], "health", "codec") // neither token nor key
	require.NoError(t, err)
	require.Equal(t, "ok\n", out)
	stop()
	_, err = run(t, environ[2:], "health", "codec")
	require.ErrorContains(t, err, "ask whether it is ready")
}

// TestTheCodecServersHealthTellsNothingElse to those who have not signed in, and opens nothing for them.
func TestTheCodecServersHealthTellsNothingElse(t *testing.T) {
	t.Parallel()
	address, _, _ := codecServer(t)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/healthz", http.StatusOK},
		{http.MethodPost, "/decode", http.StatusUnauthorized},
		{http.MethodPost, "/healthz/decode", http.StatusUnauthorized},
		{http.MethodPost, "//decode", http.StatusUnauthorized}, // and is not sent elsewhere
		{http.MethodGet, "/", http.StatusOK},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+address+c.path, http.NoBody)
		require.NoError(t, err)
		answer, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, c.status, answer.StatusCode, c.path)
		require.NotContains(t, string(text), aCodecToken)
		if c.path == "/healthz" {
			require.Equal(t, "ok\n", string(text))
			require.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
			require.Empty(t, answer.Cookies())
		}
	}
}
