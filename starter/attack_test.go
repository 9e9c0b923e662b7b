package starter_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// get asks for exactly this target, as no client library would.
func (b *bench) get(target string) (status, headers string) {
	b.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.server.URL, "http://"))
	require.NoError(b.t, err)
	defer conn.Close() //nolint:errcheck // it has been read
	_, err = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: page.example\r\nConnection: close\r\n\r\n")
	require.NoError(b.t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(b.t, err)
	status, headers, _ = strings.Cut(string(answer), "\r\n")
	return status, headers
}

func TestPages_LeadNowhereElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, target := range []string{
		"//evil.example", "//evil.example/", "/%2fevil.example", "/\\evil.example", "/test/../../etc/passwd", "/test/%2e%2e/%2e%2e/etc/passwd",
		"/test/..%2f..%2fetc/passwd", "/test//evil.example", "/test/\\..\\x", "/test%00", "/test/%00", "/test?//evil.example", "/test/socket/../",
	} {
		status, answer := b.get(target)
		require.NotContains(t, status, " 200", target)
		for line := range strings.Lines(answer) {
			if at, found := strings.CutPrefix(line, "Location: "); found {
				require.True(t, strings.HasPrefix(at, "./"), "%s leads to %s", target, at)
			}
		}
	}
}

func TestToken_ThatWasChangedOpensNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, welcome, _ := b.fresh()
	for _, token := range []string{
		strings.ToUpper(welcome.Token), welcome.Token + "x", welcome.Token + ".", " " + welcome.Token, strings.Replace(welcome.Token, ".", "..", 1), welcome.Session,
	} {
		p := b.dial()
		p.send(map[string]any{"type": "hello", "client": "client00", "token": token})
		code, _, _ := p.closed()
		require.Equal(t, websocket.StatusCode(4401), code, token)
	}
}

func TestOrigin_OddOnesAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, origin := range []string{"null", "file://", "http://", "data:x", "http://127.0.0.1.evil.example", "http://evil.example#" + b.server.URL, "http://x@evil.example"} {
		_, response, err := websocket.Dial(t.Context(), b.server.URL+"/test/socket", &websocket.DialOptions{
			Subprotocols: []string{"holdfast.v1"}, HTTPHeader: http.Header{"Origin": {origin}},
		})
		require.Error(t, err)
		require.Equal(t, http.StatusForbidden, response.StatusCode, origin)
	}
}

func TestCancel_OfAForeignTaskIsRejected(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	owner, _, _ := b.fresh()
	owner.event(1, "Begin", "mine")
	owner.want("ack")
	rows, err := b.state.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	stranger, _, _ := b.fresh()
	for i, task := range []string{string(rows[0].Task), "nosuch", "test.Task-\x00", "../x"} {
		stranger.event(int64(i+1), "holdfast.cancel", task)
		ack := stranger.want("ack")
		require.NotNil(t, ack.Error, task)
		require.Equal(t, "rejected", ack.Error.Code, task)
	}
	stranger.event(1<<63-1, "Increment", nil)
	require.Nil(t, stranger.want("ack").Error)
	stranger.event(1<<62, "Increment", nil)
	require.Equal(t, "forgotten", stranger.want("ack").Error.Code)
}
