package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
)

// client is a page without a browser: it keeps what it was sent and, as a page does, connects again whenever it has to.
type client struct {
	t        testing.TB
	url      string
	conn     *websocket.Conn
	token    string
	epoch    string
	revision int64
	mark     string
	lost     bool // it was told once that the store has lost what it had
	known    bool
	values   []int // of the counter, one for each message that had it
	tasks    []json.RawMessage
	done     bool
	begun    []int // tasks that are superseded
	ended    []int
	sent     int64
	waiting  []map[string]any // events that are not acknowledged
}

// message is what the client reads of any message.
type message struct {
	Type     string `json:"type"`
	Token    string `json:"token"`
	Epoch    string `json:"epoch"`
	Revision int64  `json:"revision"`
	Mark     string `json:"mark"`
	Lost     bool   `json:"lost"`
	States   struct {
		State struct {
			Counter *int  `json:"counter"`
			Done    *bool `json:"done"`
			Begun   []int `json:"begun"`
			Ended   []int `json:"ended"`
		} `json:"State"`
	} `json:"states"`
	Tasks *[]json.RawMessage `json:"tasks"`
	Error json.RawMessage    `json:"error"`
}

func newClient(t testing.TB, at interface{ URL(path string) string }, app string) *client {
	t.Helper()
	c := &client{t: t, url: at.URL("/" + app + "/socket")}
	t.Cleanup(func() {
		if c.conn != nil {
			_ = c.conn.CloseNow()
		}
	})
	return c
}

// connect connects and says hello, with the position where it was.
func (c *client) connect(ctx context.Context) error {
	conn, _, err := websocket.Dial(ctx, c.url, &websocket.DialOptions{Subprotocols: []string{"holdfast.v1"}})
	if err != nil {
		return err
	}
	c.conn = conn
	hello := map[string]any{"type": "hello", "client": "e2eclient"}
	if c.token == "" {
		hello["new"] = true
	} else {
		hello["token"] = c.token
	}
	if c.known {
		hello["epoch"], hello["after"], hello["mark"] = c.epoch, c.revision, c.mark
	}
	if err := wsjson.Write(ctx, conn, hello); err != nil {
		return err
	}
	for _, event := range c.waiting {
		if err := wsjson.Write(ctx, conn, event); err != nil {
			return err
		}
	}
	return nil
}

// reconnect connects to a program that is ready.
func (c *client) reconnect() {
	c.t.Helper()
	require.NoError(c.t, c.connect(c.t.Context()))
}

// send sends an event, and again after a reconnect if it has not been acknowledged.
func (c *client) send(name string, arg any) {
	c.sent++
	event := map[string]any{"type": "event", "id": c.sent, "name": name, "arg": arg}
	c.waiting = append(c.waiting, event)
	_ = wsjson.Write(c.t.Context(), c.conn, event)
}

// next reads one message and keeps what it says. The error is that of a connection that broke.
func (c *client) next() error {
	var m message
	if err := wsjson.Read(c.t.Context(), c.conn, &m); err != nil {
		return err
	}
	switch m.Type {
	case "welcome":
		c.token = m.Token
	case "snapshot":
		c.epoch, c.revision, c.mark, c.known = m.Epoch, m.Revision, m.Mark, true
		c.lost = c.lost || m.Lost
	case "delta":
		require.Equal(c.t, c.revision+1, m.Revision, "a gap in the revisions")
		c.revision, c.mark = m.Revision, m.Mark
	case "ack":
		require.Empty(c.t, string(m.Error))
		c.waiting = c.waiting[1:]
	case "loaded":
	default:
		c.t.Fatalf("unexpected message: %+v", m)
	}
	if counter := m.States.State.Counter; counter != nil {
		c.values = append(c.values, *counter)
	}
	if done := m.States.State.Done; done != nil {
		c.done = *done
	}
	if begun := m.States.State.Begun; begun != nil {
		c.begun = begun
	}
	if ended := m.States.State.Ended; ended != nil {
		c.ended = ended
	}
	if m.Tasks != nil {
		c.tasks = *m.Tasks
	}
	return nil
}

// until reads, over reconnects, until the condition holds.
func (c *client) until(condition func() bool) {
	c.t.Helper()
	for !condition() {
		if err := c.next(); err != nil {
			require.NoError(c.t, c.t.Context().Err())
			c.reconnect()
		}
	}
}

// counter is the last value that was received.
func (c *client) counter() int {
	if len(c.values) == 0 {
		return 0
	}
	return c.values[len(c.values)-1]
}

// requireEachOnce checks that the values went up one by one to the last: none missing, none twice, none out of order.
// A snapshot may say again what was known.
func (c *client) requireEachOnce(last int) {
	c.t.Helper()
	want := []string{}
	for i := range last + 1 {
		want = append(want, fmt.Sprint(i))
	}
	got := []string{}
	for i, v := range c.values {
		if i == 0 || v != c.values[i-1] {
			got = append(got, fmt.Sprint(v))
		}
	}
	require.Equal(c.t, want, got)
}

// sideBySide runs a subtest for each client, really all at once: a page that is not read does not answer pings and is taken for dead.
// (t.Parallel would run as many as there are processors.)
func sideBySide(t *testing.T, clients []*client, run func(*client)) {
	t.Helper()
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				c.t = t
				run(c)
			})
		})
	}
	all.Wait()
}

// taskID and status are those of the session's first task.
func (c *client) taskID() string { return c.task().ID }
func (c *client) status() string { return c.task().Status }

func (c *client) task() (task struct{ ID, Status string }) {
	c.t.Helper()
	if len(c.tasks) > 0 {
		require.NoError(c.t, json.Unmarshal(c.tasks[0], &task))
	}
	return task
}

// requireNoneMissing checks that the values never fell and never left one out.
func (c *client) requireNoneMissing() {
	c.t.Helper()
	for i := 1; i < len(c.values); i++ {
		step := c.values[i] - c.values[i-1]
		require.True(c.t, step == 0 || step == 1, "after %d came %d", c.values[i-1], c.values[i])
	}
}
