package starter_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// State is what the events of these tests work on.
type State struct {
	Counter int `json:"counter"`
	Loads   int `json:"loads,omitempty"`
	Kept    any `json:"kept,omitempty"`
}

func Increment(_ *holdfast.Tx, s *State) error           { s.Counter++; return nil }
func Add(_ *holdfast.Tx, s *State, n int) error          { s.Counter += n; return nil }
func Keep(_ *holdfast.Tx, s *State, what any) error      { s.Kept = what; return nil }
func Refuse(*holdfast.Tx, *State) error                  { return holdfast.Reject("no more seats") }
func Crash(*holdfast.Tx, *State) error                   { panic("out of cheese") }
func Begin(tx *holdfast.Tx, _ *State, name string) error { tx.Start(Task, name); return nil }
func Say(tx *holdfast.Tx, _ *State, text string) error   { tx.Emit("toast", text); return nil }
func Hang(tx *holdfast.Tx, _ *State) error               { <-tx.Context().Done(); return nil }
func Load(_ *holdfast.Tx, s *State) error                { s.Loads++; return nil }
func Ring(tx *holdfast.Tx, _ *State) error {
	tx.Trigger(Add, 10)
	tx.Trigger(Refuse)
	tx.Trigger(Increment)
	return nil
}
func Task(workflow.Context, string) error { return nil }

// temporal is a Temporal client that notes what is started.
type temporal struct {
	client.Client
	mu      sync.Mutex // protects err, status and started
	err     error
	status  enums.WorkflowExecutionStatus // of all workflows
	started map[string]int
	calls   chan client.StartWorkflowOptions
	signals chan signal
	cancels chan client.CancelWorkflowOptions
}

// signal is a heartbeat that a task was sent.
type signal struct {
	task holdfast.TaskID
	beat wire.Heartbeat
}

func (f *temporal) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls <- o
	if f.err == nil {
		f.started[o.ID]++
	}
	return nil, f.err
}

func (f *temporal) SignalWorkflow(_ context.Context, id, _, _ string, arg any) error {
	beat, _ := arg.(wire.Heartbeat)
	f.signals <- signal{holdfast.TaskID(id), beat}
	return nil
}

func (f *temporal) CancelWorkflowWithOptions(_ context.Context, o client.CancelWorkflowOptions) error {
	f.cancels <- o
	return nil
}

func (f *temporal) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info := &workflowpb.WorkflowExecutionInfo{Status: f.status}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

// end has every workflow ended, without a word.
func (f *temporal) end(status enums.WorkflowExecutionStatus) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = status
}

func (f *temporal) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// bench is a starter with one app, behind a real HTTP server.
type bench struct {
	*starter.Starter
	t        testing.TB
	app      *holdfast.App
	state    *state.Service
	temporal *temporal
	server   *httptest.Server
}

func newApp() *holdfast.App {
	app := holdfast.NewApp("test", State{})
	app.Events(Increment, Add, Refuse, Crash, Begin, Say, Hang, Ring, Sit, Parrot, Keep)
	app.Tasks(Task)
	app.Page(fstest.MapFS{"index.html": {Data: []byte("<p>the page</p>")}})
	return app
}

func newBench(t *testing.T) *bench {
	t.Helper()
	return newBenchOf(t, newApp())
}

func newBenchOf(t *testing.T, app *holdfast.App) *bench {
	t.Helper()
	service := state.Open(memory.New(), state.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	return benchOn(t, app, service, newTemporal())
}

func newTemporal() *temporal {
	return &temporal{
		status:  enums.WORKFLOW_EXECUTION_STATUS_RUNNING,
		started: map[string]int{},
		calls:   make(chan client.StartWorkflowOptions, 100),
		signals: make(chan signal, 100),
		cancels: make(chan client.CancelWorkflowOptions, 100),
	}
}

// benchOn is one starter of several on the same state.
func benchOn(t testing.TB, app *holdfast.App, service *state.Service, temporal *temporal, more ...func(*starter.Options)) *bench {
	t.Helper()
	b := &bench{t: t, app: app, state: service, temporal: temporal}
	options := starter.Options{
		State: service, Temporal: temporal, Apps: []*holdfast.App{app},
		SessionKey: []byte(strings.Repeat("k", 32)), WorkflowsURL: "http://ui/workflows/", Logger: slog.New(slog.DiscardHandler),
	}
	for _, change := range more {
		change(&options)
	}
	var err error
	b.Starter, err = starter.New(options)
	require.NoError(t, err)
	b.server = httptest.NewServer(b)
	t.Cleanup(func() {
		require.NoError(t, b.Close(context.Background()))
		b.server.Close()
	})
	return b
}

// message is any message of the starter.
type message struct {
	Type     string                     `json:"type"`
	App      string                     `json:"app"`
	Session  string                     `json:"session"`
	Token    string                     `json:"token"`
	Epoch    string                     `json:"epoch"`
	Revision int64                      `json:"revision"`
	States   map[string]json.RawMessage `json:"states"`
	Tasks    *[]state.Task              `json:"tasks"`
	Messages []state.Message            `json:"messages"`
	ID       int64                      `json:"id"`
	Code     string                     `json:"code"`
	Message  string                     `json:"message"`
	Error    *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// page is a client's connection.
type page struct {
	*websocket.Conn
	t testing.TB
}

// dial connects without saying hello.
func (b *bench) dial() page {
	b.t.Helper()
	conn, _, err := websocket.Dial(b.t.Context(), b.server.URL+"/test/socket", &websocket.DialOptions{Subprotocols: []string{"holdfast.v1"}})
	require.NoError(b.t, err)
	conn.SetReadLimit(4 << 20)
	b.t.Cleanup(func() { _ = conn.CloseNow() })
	return page{conn, b.t}
}

// open connects, says hello and returns the welcome.
func (b *bench) open(hello map[string]any) (page, message) {
	b.t.Helper()
	p := b.dial()
	if hello["client"] == nil {
		hello["client"] = "client00"
	}
	hello["type"] = "hello"
	p.send(hello)
	welcome := p.next()
	require.Equal(b.t, "welcome", welcome.Type)
	return p, welcome
}

// fresh opens a new session and returns its welcome and first snapshot.
func (b *bench) fresh() (page, message, message) {
	b.t.Helper()
	p, welcome := b.open(map[string]any{"new": true})
	return p, welcome, p.want("snapshot")
}

// settled opens a connection to a session that exists: from here on each change comes as a delta of its own. Events are numbered
// from 2.
func (b *bench) settled() page {
	b.t.Helper()
	p, _, _ := b.fresh()
	p.event(1, "Increment", nil)
	p.want("delta")
	return p
}

func (p page) send(v any) {
	p.t.Helper()
	require.NoError(p.t, wsjson.Write(p.t.Context(), p.Conn, v))
}

func (p page) event(id int64, name string, arg any) {
	p.t.Helper()
	p.send(map[string]any{"type": "event", "id": id, "name": name, "arg": arg})
}

func (p page) next() (m message) {
	p.t.Helper()
	require.NoError(p.t, wsjson.Read(p.t.Context(), p.Conn, &m))
	return m
}

// want passes over messages until one of the type comes.
func (p page) want(kind string) message {
	p.t.Helper()
	for {
		if m := p.next(); m.Type == kind {
			return m
		}
	}
}

// closed reads until the connection ends and returns its code and reason, and the error message before it, if any.
func (p page) closed() (websocket.StatusCode, string, message) {
	p.t.Helper()
	var last message
	for {
		var m message
		err := wsjson.Read(p.t.Context(), p.Conn, &m)
		if ended, ok := errors.AsType[websocket.CloseError](err); ok {
			return ended.Code, ended.Reason, last
		}
		require.NoError(p.t, err)
		if m.Type == "error" {
			last = m
		}
	}
}
