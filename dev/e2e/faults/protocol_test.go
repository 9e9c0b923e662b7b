package faults_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/coder/websocket"

	"github.com/holdfast-run/holdfast/dev/e2e/exact"
)

// view is what a page has of its session.
type view struct {
	known    bool // it has a snapshot
	welcome  bool // it has had a welcome on this connection
	loaded   bool // it has had the frame of this type
	token    string
	epoch    string
	revision int64
	mark     string
	document any // the state, as JSON decodes it
	state    exact.State
	tasks    []listed
	message  int64    // the id of the last one
	failures []string // of tasks and triggers, as messages tell of them
}

// events are what a page sends.
type events struct {
	sent     int64
	written  int64   // the last one that a connection took
	waiting  []event // for their acknowledgement
	notes    int64   // how many of Note it has sent
	acked    int64   // how many were acknowledged
	included int64   // the revision of the last acknowledgement
}

// event is a frame of type event.
type event struct {
	Type string `json:"type"`
	ID   int64  `json:"id"`
	// Epoch is the life of the session in which the event was sent first.
	Epoch string `json:"epoch"`
	Name  string `json:"name"`
	Arg   any    `json:"arg"`
}

// listed is an entry of the list of tasks.
type listed struct {
	ID, Name, Status, Error string
}

// frame is any frame of a starter.
type frame struct {
	Type     string                     `json:"type"`
	Token    string                     `json:"token"`
	Epoch    string                     `json:"epoch"`
	Revision int64                      `json:"revision"`
	Mark     string                     `json:"mark"`
	Lost     bool                       `json:"lost"`
	States   map[string]json.RawMessage `json:"states"`
	Tasks    *[]listed                  `json:"tasks"`
	Messages []struct {
		ID   int64           `json:"id"`
		Name string          `json:"name"`
		Data json.RawMessage `json:"data"`
	} `json:"messages"`
	ID    int64 `json:"id"`
	Error *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// hello is the first frame of a connection.
func (p *page) hello() map[string]any {
	hello := map[string]any{"type": "hello", "client": p.client}
	if p.token == "" {
		hello["new"] = true
	} else {
		hello["token"] = p.token
	}
	if p.epoch != "" {
		hello["epoch"], hello["sent"], hello["loaded"] = p.epoch, p.sent, p.loaded
	}
	if p.known {
		hello["after"], hello["mark"] = p.revision, p.mark
	}
	return hello
}

// after are the events that wait with an id above the last, once the page is welcome.
func (p *page) after(last int64) (due []event) {
	if !p.welcome {
		return nil
	}
	for _, e := range p.waiting {
		if e.ID > last {
			due = append(due, e)
		}
	}
	return due
}

// window is how many events a page sends without acknowledgement.
const window = 200

// send sends an event; it waits while too many are not acknowledged.
func (p *page) send(name string, arg any) {
	p.t.Helper()
	p.until("has room for another event", func() bool { return len(p.waiting) < window })
	p.change(func() {
		p.sent++
		p.waiting = append(p.waiting, event{Type: "event", ID: p.sent, Epoch: p.epoch, Name: name, Arg: arg})
	})
}

// note sends n notes.
func (p *page) note(n int) {
	p.t.Helper()
	for range n {
		p.notes++
		p.send("Note", exact.Noted{Page: p.client, N: p.notes})
	}
}

// room reports whether another note can be sent without waiting for acknowledgements.
func (p *page) room() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting) < window/2
}

// noteAt sends a note that waits at a gate.
func (p *page) noteAt(g *gate) {
	p.t.Helper()
	p.notes++
	p.send("NoteAtGate", exact.Noted{Page: p.client, N: p.notes, Gate: g.dir})
}

// take takes a frame. It requires mu, as do those that it calls.
func (p *page) take(f *frame) {
	switch f.Type {
	case "welcome":
		if p.epoch != "" && f.Epoch != p.epoch {
			p.notef("epoch %s is followed by epoch %s", p.epoch, f.Epoch)
		}
		p.token, p.epoch, p.welcome = f.Token, f.Epoch, true
	case "loaded":
		p.loaded = true
	case "snapshot":
		p.takeSnapshot(f)
	case "delta":
		p.takeDelta(f)
	case "ack":
		p.takeAck(f)
	default:
		p.notef("a frame of type %s: %s: %s", f.Type, f.Code, f.Message)
	}
}

func (p *page) takeSnapshot(f *frame) {
	switch {
	case f.Lost:
		p.notef("the store has lost what the page had at revision %d", p.revision)
	case f.Epoch != p.epoch:
		p.notef("epoch %s is followed by epoch %s", p.epoch, f.Epoch)
	case p.known && f.Revision < p.revision:
		p.notef("a snapshot at revision %d follows revision %d", f.Revision, p.revision)
	}
	p.known, p.epoch, p.revision, p.mark, p.document = true, f.Epoch, f.Revision, f.Mark, nil
	p.takeChange(f)
}

func (p *page) takeDelta(f *frame) {
	if f.Revision != p.revision+1 {
		p.notef("revision %d follows revision %d", f.Revision, p.revision)
	}
	p.revision, p.mark = f.Revision, f.Mark
	p.takeChange(f)
}

func (p *page) takeChange(f *frame) {
	if patch, ok := f.States["State"]; ok {
		var change any
		if err := json.Unmarshal(patch, &change); err != nil {
			p.notef("a state that is no JSON: %v", err)
		}
		p.document = merge(p.document, change)
		whole, _ := json.Marshal(p.document)
		p.state = exact.State{}
		if err := json.Unmarshal(whole, &p.state); err != nil {
			p.notef("a state that is none: %v", err)
		}
	}
	if f.Tasks != nil {
		p.tasks = *f.Tasks
	}
	for _, m := range f.Messages {
		if m.ID > p.message {
			p.message = m.ID
			p.failures = append(p.failures, fmt.Sprintf("%s: %s", m.Name, m.Data)) // the app itself sends none
		}
	}
}

// takeAck takes an acknowledgement, which comes in the order of the ids.
func (p *page) takeAck(f *frame) {
	if len(p.waiting) == 0 || p.waiting[0].ID != f.ID {
		p.notef("acknowledgement %d does not fit; these wait: %s", f.ID, p.waitingIDs())
		return
	}
	e := p.waiting[0]
	p.waiting = p.waiting[1:]
	p.acked++
	if f.Error != nil {
		p.notef("event %d, %s, was refused: %s: %s", e.ID, e.Name, f.Error.Code, f.Error.Message)
		return
	}
	if f.Revision < p.included {
		p.notef("event %d is included in revision %d, the one before in %d", f.ID, f.Revision, p.included)
	}
	p.included = f.Revision
}

func (p *page) waitingIDs() string {
	if len(p.waiting) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d to %d", p.waiting[0].ID, p.waiting[len(p.waiting)-1].ID)
}

// checkEnd notes an end of a connection that is the page's fault.
func (p *page) checkEnd(conn *websocket.Conn, err error) {
	if p.conn != conn {
		return
	}
	fault := []websocket.StatusCode{websocket.StatusMessageTooBig, 4400, 4401, 4429}
	if slices.Contains(fault, websocket.CloseStatus(err)) {
		p.notef("the connection was ended: %v", err)
	}
}

func (p *page) notef(format string, args ...any) {
	p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
}

// report is what the page knows, for a test that fails.
func (p *page) report() string {
	state, _ := json.Marshal(p.state)
	return fmt.Sprintf("at %s, connected: %t, revision %d, sent %d, waiting: %s\nstate %s\ntasks %+v\nfailures: %s\nwrong: %s",
		p.addresses[p.at%len(p.addresses)], p.conn != nil, p.revision, p.sent, p.waitingIDs(), state, p.tasks, p.failures, strings.Join(p.wrong, "\n"))
}

// merge is a JSON merge patch (RFC 7396).
func merge(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	merged := map[string]any{}
	if old, ok := target.(map[string]any); ok {
		for name, value := range old {
			merged[name] = value
		}
	}
	for name, value := range change {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = merge(merged[name], value)
		}
	}
	return merged
}
