// Package commands runs the commands of the production program against a real Temporal server.
package commands_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/cmd/command"
	"github.com/holdfast-run/holdfast/dev/embedded"
)

// setting is an environment that the commands of one test share.
type setting struct {
	t       *testing.T
	environ []string
	now     func() time.Time
}

func newSetting(t *testing.T, temporal string, environ ...string) *setting {
	t.Helper()
	return &setting{t: t, environ: append([]string{
		"TEMPORAL_CONFIG_FILE=/dev/null", "HOLDFAST_TEMPORAL_ADDRESS=" + temporal, "HOLDFAST_STATE_URL=sqlite:" + t.TempDir() + "/state.db",
		"HOLDFAST_STARTER_SESSION_KEY=not very secret, but of thirty-two bytes", "HOLDFAST_STARTER_ADDRESS=127.0.0.1:0",
		"HOLDFAST_STARTER_OPERATOR_ADDRESS=127.0.0.1:0", "HOLDFAST_WORKER_OPERATOR_ADDRESS=127.0.0.1:0", "HOLDFAST_LOG_LEVEL=warn",
	}, environ...)}
}

// run runs a command that ends by itself.
func (s *setting) run(args ...string) (string, error) {
	s.t.Helper()
	var out bytes.Buffer
	p := &command.Program{Name: "test", Apps: apps(), Environ: s.environ, Stdout: &out, Stderr: io.Discard, Now: s.now}
	err := p.Run(s.t.Context(), args)
	return out.String(), err
}

// start runs a command until the test ends, and returns what it says when it is ready.
func (s *setting) start(args ...string) string {
	s.t.Helper()
	said, ended := s.begin(io.Discard, args...)
	select {
	case line := <-said:
		return line
	case <-ended:
		require.Fail(s.t, "it ended before it was ready")
		return ""
	}
}

// begin runs a command until the test ends. What it says goes to said, and ended is closed when it has ended.
func (s *setting) begin(logged io.Writer, args ...string) (said chan string, ended chan struct{}) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	said, ended = make(chan string, 10), make(chan struct{})
	p := &command.Program{Name: "test", Apps: apps(), Environ: s.environ, Stdout: lines(said), Stderr: logged}
	go func() {
		defer close(ended)
		if err := p.Run(ctx, args); err != nil && ctx.Err() == nil {
			s.t.Errorf("%v ended by itself: %v", args, err)
		}
	}()
	s.t.Cleanup(func() {
		stop()
		<-ended
	})
	return said, ended
}

// lines is a writer that hands on each write, as long as there is room.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}

func startTemporal(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	server, err := embedded.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	return server
}

// urlOf is the first URL in what a program says.
func urlOf(t *testing.T, said string) string {
	t.Helper()
	url := regexp.MustCompile(`https?://[^\s,]+`).FindString(said)
	require.NotEmpty(t, url, said)
	return url
}

// get returns the status and the text at a URL.
func get(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	answer, err := client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, strings.TrimSpace(string(text))
}
