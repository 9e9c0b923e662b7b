package commands_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// page is the page of an app, without a browser.
type page struct {
	t       *testing.T
	conn    *websocket.Conn
	session string
	counter int
	tasks   []task
	acked   int
	sent    int
}

// task is an entry of the page's list of tasks.
type task struct{ ID, Status, Error string }

// open opens a page of the fast app at a starter.
func open(t *testing.T, url string) *page {
	t.Helper()
	return openApp(t, http.DefaultClient, url, "fast")
}

func openApp(t *testing.T, with *http.Client, url, app string) *page {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+app+"/socket", &websocket.DialOptions{
		Subprotocols: []string{"holdfast.v1"}, HTTPClient: with,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.CloseNow() })
	p := &page{t: t, conn: conn}
	require.NoError(t, wsjson.Write(t.Context(), conn, map[string]any{"type": "hello", "client": "testclient", "new": true}))
	for p.session == "" {
		p.read()
	}
	return p
}

func (p *page) send(event string, arg any) {
	p.t.Helper()
	p.sent++
	require.NoError(p.t, wsjson.Write(p.t.Context(), p.conn, map[string]any{"type": "event", "id": p.sent, "name": event, "arg": arg}))
}

func (p *page) read() {
	p.t.Helper()
	var m struct {
		Type, Session string
		States        struct{ State struct{ Counter *int } }
		Tasks         *[]task
	}
	require.NoError(p.t, wsjson.Read(p.t.Context(), p.conn, &m))
	if m.Session != "" {
		p.session = m.Session
	}
	if m.States.State.Counter != nil {
		p.counter = *m.States.State.Counter
	}
	if m.Tasks != nil {
		p.tasks = *m.Tasks
	}
	if m.Type == "ack" {
		p.acked++
	}
}

// untilIdle reads until the counter is there and every task has ended.
func (p *page) untilIdle(counter int) {
	p.t.Helper()
	for p.counter != counter || len(p.tasks) > 0 || p.acked < p.sent {
		p.read()
		for _, task := range p.tasks {
			require.NotEqual(p.t, "failed", task.Status, task.Error)
		}
	}
}

// untilFailed reads until a task has failed with the message.
func (p *page) untilFailed(message string) {
	p.t.Helper()
	for len(p.tasks) == 0 || p.tasks[0].Status != "failed" {
		p.read()
	}
	require.Contains(p.t, p.tasks[0].Error, message)
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// found is how many workflows the query finds, once it finds any: visibility comes a moment after the workflow.
func found(t *testing.T, address, query string) int {
	t.Helper()
	c := dial(t, address)
	for {
		answer, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: query})
		require.NoError(t, err)
		if answer.GetCount() > 0 {
			return int(answer.GetCount())
		}
	}
}
