package starter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// The messages of holdfast.v1, as docs/protocol.md states them.

const (
	subprotocol = "holdfast.v1"
	// maxFrame is the length in bytes of the longest frame that a client may send; maxHello that of its first one, which anybody
	// may send.
	maxFrame = 1 << 20
	maxHello = 64 << 10
	// maxWaiting is how many events of one connection may wait for their acknowledgement.
	maxWaiting = 256
)

// The starter's own close codes.
const (
	closeBadMessage    websocket.StatusCode = 4400
	closeBadToken      websocket.StatusCode = 4401
	closeTooSlow       websocket.StatusCode = 4408
	closeTooManyEvents websocket.StatusCode = 4429
	closeInternal      websocket.StatusCode = 4500
)

// closeNames are the machine-readable names of the codes that come with an error message.
var closeNames = map[websocket.StatusCode]string{
	closeBadMessage:    "bad_message",
	closeBadToken:      "bad_token",
	closeTooManyEvents: "too_many_events",
}

// fault ends a connection with a close code and a sentence for the client's developer.
type fault struct {
	code   websocket.StatusCode
	reason string
}

func (f *fault) Error() string { return f.reason }

func badMessage(format string, args ...any) *fault {
	return &fault{code: closeBadMessage, reason: fmt.Sprintf(format, args...)}
}

type helloMessage struct {
	Type   *string `json:"type"`
	Token  string  `json:"token"`
	New    bool    `json:"new"`
	Client string  `json:"client"`
	Sent   int64   `json:"sent"`
	Loaded bool    `json:"loaded"`
	Epoch  *string `json:"epoch"`
	After  *int64  `json:"after"`
	Mark   string  `json:"mark"`
}

type eventMessage struct {
	Type  *string         `json:"type"`
	ID    int64           `json:"id"`
	Epoch string          `json:"epoch"`
	Name  string          `json:"name"`
	Arg   json.RawMessage `json:"arg"`
	// Traceparent is kept as it came: a malformed one is no reason to refuse the event.
	Traceparent json.RawMessage `json:"traceparent"`
}

type welcomeMessage struct {
	Type      string `json:"type"`
	App       string `json:"app"`
	Session   string `json:"session"`
	Token     string `json:"token"`
	Epoch     string `json:"epoch"`
	Workflows string `json:"workflows,omitempty"`
}

// loadedMessage says that the events that run on load have run.
type loadedMessage struct {
	Type string `json:"type"`
}

type snapshotMessage struct {
	Type     string                     `json:"type"`
	Epoch    string                     `json:"epoch"`
	Revision int64                      `json:"revision"`
	Mark     string                     `json:"mark,omitempty"`
	Lost     bool                       `json:"lost,omitempty"`
	States   map[string]json.RawMessage `json:"states"`
	Tasks    []taskView                 `json:"tasks"`
	Messages []notice                   `json:"messages"`
}

type deltaMessage struct {
	Type     string                     `json:"type"`
	Revision int64                      `json:"revision"`
	Mark     string                     `json:"mark,omitempty"`
	States   map[string]json.RawMessage `json:"states,omitempty"`
	Tasks    *[]taskView                `json:"tasks,omitempty"`
	Messages []notice                   `json:"messages,omitempty"`
}

// taskView is a state.Task as the client gets it: without what only the server needs.
type taskView struct {
	ID     holdfast.TaskID `json:"id"`
	Name   string          `json:"name"`
	Status state.Status    `json:"status"`
	Since  time.Time       `json:"since"`
	Error  string          `json:"error,omitempty"`
}

// taskViews are never nil: an empty list is [] rather than null.
func taskViews(tasks []state.Task) []taskView {
	views := make([]taskView, len(tasks))
	for i, t := range tasks {
		views[i] = taskView{ID: t.ID, Name: t.Name, Status: t.Status, Since: t.Since, Error: t.Error}
	}
	return views
}

// notice is a state.Message as the client gets it.
type notice struct {
	ID   int64           `json:"id"`
	Name string          `json:"name"`
	Data json.RawMessage `json:"data"`
}

type ackMessage struct {
	Type     string    `json:"type"`
	ID       int64     `json:"id"`
	Revision int64     `json:"revision"`
	Error    *ackError `json:"error,omitempty"`

	asked int // how many tasks and events it asked for
}

// cost is what the event counts towards the pace of its session.
func (m *ackMessage) cost() int {
	if m.Error != nil {
		return 1
	}
	return m.asked
}

type ackError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type errorMessage struct {
	Type    string `json:"type"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

var clientName = regexp.MustCompile(`^[a-z0-9]{8,64}$`)

// parseHello reads and checks the first message of a client.
func parseHello(kind websocket.MessageType, frame []byte) (*helloMessage, error) {
	var hello helloMessage
	if err := parse(kind, frame, "hello", &hello); err != nil {
		return nil, err
	}
	switch {
	case !clientName.MatchString(hello.Client):
		return nil, badMessage("hello: client is %s; expected 8 to 64 characters of a-z and 0-9", quoted(hello.Client))
	case hello.New == (hello.Token != ""):
		return nil, badMessage("hello: expected exactly one of token and new: true")
	case hello.Sent < 0:
		return nil, badMessage("hello: sent is %d; expected 0 or more", hello.Sent)
	case hello.Epoch == nil && (hello.After != nil || hello.Loaded):
		return nil, badMessage("hello: after and loaded come with an epoch")
	case hello.After != nil && *hello.After < 0:
		return nil, badMessage("hello: after is %d; expected 0 or more", *hello.After)
	}
	return &hello, nil
}

// position is where the client has the state up to, or nil.
func (h *helloMessage) position() *state.Position {
	if h.After == nil {
		return nil
	}
	return &state.Position{Epoch: *h.Epoch, Revision: *h.After, Mark: h.Mark}
}

// page is what the client says of the load of its page.
func (h *helloMessage) page() state.PageLoad {
	page := state.PageLoad{Client: h.Client, Sent: h.Sent, Loaded: h.Loaded}
	if h.Epoch != nil {
		page.Epoch = *h.Epoch
	}
	return page
}

func parseEvent(kind websocket.MessageType, frame []byte) (*eventMessage, error) {
	var event eventMessage
	if err := parse(kind, frame, "event", &event); err != nil {
		return nil, err
	}
	if event.ID < 1 {
		return nil, badMessage("event: id is %d; expected 1 or more", event.ID)
	}
	if event.Name == "" {
		return nil, badMessage("event: the name is missing")
	}
	return &event, nil
}

// typed is any message of a client.
type typed interface{ messageType() *string }

func (m *helloMessage) messageType() *string { return m.Type }
func (m *eventMessage) messageType() *string { return m.Type }

// parse reads one message of the wanted type. Members that it does not know are let through: a newer client may send them.
func parse(kind websocket.MessageType, frame []byte, want string, into typed) error {
	if kind != websocket.MessageText {
		return badMessage("expected a text frame, got a binary one")
	}
	if err := state.CheckDepth(frame); err != nil { // before anything decodes it
		return badMessage("the frame: %s", err)
	}
	if !utf8.Valid(frame) {
		return badMessage("the frame is not UTF-8")
	}
	err := json.Unmarshal(frame, into)
	wrong, mistyped := errors.AsType[*json.UnmarshalTypeError](err) // all else is read in spite of it
	switch found := into.messageType(); {
	case err != nil && !mistyped:
		return badMessage("the frame is not one JSON object: %s", notOne(err))
	case mistyped && (found == nil || *found == want):
		return badMessage("the member %q has the wrong type: got a JSON %s, expected %s", wrong.Field, wire.Bound(wrong.Value, maxEcho), wrong.Type)
	case found == nil:
		return badMessage("the member type is missing; expected %q", want)
	case *found != want:
		return badMessage("the message type is %s; expected %q", quoted(*found), want)
	default:
		return nil
	}
}

// notOne says why a frame is not one JSON object.
func notOne(err error) string {
	if strings.Contains(err.Error(), "after top-level value") {
		return "something follows it"
	}
	return wire.Bound(err.Error(), maxEcho)
}

// encode writes a message as one frame. What HTML would take for markup stays as it is: nothing reads a frame as HTML.
func encode(message any) ([]byte, error) {
	var frame bytes.Buffer
	encoder := json.NewEncoder(&frame)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(message); err != nil {
		return nil, fmt.Errorf("encode a message: %w", err)
	}
	return bytes.TrimSuffix(frame.Bytes(), []byte("\n")), nil
}

// outgoing turns an update into the message for the client.
func outgoing(u state.Update) any {
	if u.Snapshot != nil {
		return snapshotMessage{
			Type:     "snapshot",
			Epoch:    u.Snapshot.Position.Epoch,
			Revision: u.Snapshot.Position.Revision,
			Mark:     u.Snapshot.Position.Mark,
			Lost:     u.Snapshot.Lost,
			States:   u.Snapshot.States,
			Tasks:    taskViews(u.Snapshot.Tasks),
			Messages: notices(u.Snapshot.Messages),
		}
	}
	delta := deltaMessage{
		Type:     "delta",
		Revision: u.Change.Revision,
		Mark:     u.Change.Mark(),
		States:   u.Change.States,
		Messages: notices(u.Change.Messages),
	}
	if u.Change.Tasks != nil {
		tasks := taskViews(*u.Change.Tasks)
		delta.Tasks = &tasks
	}
	return delta
}

func notices(messages []state.Message) []notice {
	out := make([]notice, len(messages))
	for i, m := range messages {
		out[i] = notice{ID: m.ID, Name: m.Name, Data: m.Data}
	}
	return out
}
