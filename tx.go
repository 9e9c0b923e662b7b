package holdfast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
)

// Tx is what an event or a section does beside changing its state: it reads other states of the session, starts
// tasks and sends messages to the page. All of it takes effect with the commit, together, or not at all.
//
// A Tx is valid until its function returns, for the goroutine that the function was called in.
type Tx struct {
	app      *App
	ctx      context.Context
	session  SessionID
	docs     Documents
	states   map[string]reflect.Value // *T by state name, as handed out
	unknown  map[string]bool          // states with members that the type does not know
	looking  bool                     // nothing is committed
	requests []Request
	messages []Message
	err      error // the first misuse; fails the section

	mu    sync.Mutex // protects ended, which a stray goroutine may read
	ended bool
}

// Request is a task or an event that a section asked for. One of Task and Event is set.
type Request struct {
	// Task is the task to start.
	Task *Task
	// Event is the event to trigger.
	Event *Handler
	// Argument is its argument as JSON, or nil.
	Argument json.RawMessage
}

// Message is something told to the page once, such as a notice, as against state, which the page shows while it lasts.
type Message struct {
	// Name is what the page listens for.
	Name string
	// Data is the message's content as JSON.
	Data json.RawMessage
}

// Context ends at the section's deadline or when its lock is lost. It must be given to whatever the function calls.
func (tx *Tx) Context() context.Context { return tx.ctx }

// Session is the session that the function works on.
func (tx *Tx) Session() SessionID { return tx.session }

// Start starts a task after the commit, if and only if it commits, exactly once, also when the process dies in between.
// The task is given as the function that was registered, with its argument if it takes one; a task that is not
// registered or an argument that does not fit fails the section, with nothing committed.
func (tx *Tx) Start(task any, arg ...any) {
	if tx.over("Start") {
		return
	}
	tx.request("Start", func() (Request, error) { return tx.app.StartRequest(task, arg...) })
}

// Trigger runs an event after the commit, if and only if it commits, exactly once, in the order in which the session's triggers
// were called. It does not wait for tasks that were started before it, which run beside it. The event is given as the function
// that was registered, with its argument if it takes one. It runs as if the page had sent it: under the session's lock, a change of its
// own. To call the function itself would run it within this section.
func (tx *Tx) Trigger(event any, arg ...any) {
	if tx.over("Trigger") {
		return
	}
	tx.request("Trigger", func() (Request, error) { return tx.app.TriggerRequest(event, arg...) })
}

func (tx *Tx) request(method string, ask func() (Request, error)) {
	request, err := ask()
	if err != nil {
		tx.fail(fmt.Errorf("tx.%s: %w", method, err))
		return
	}
	tx.requests = append(tx.requests, request)
}

// Emit tells the page something once, after the commit: listeners of this name get the data. A client that is away
// gets it when it reconnects, as long as the session keeps it. Data that JSON cannot hold, or that is larger than
// [MaxMessage] or nested deeper than [MaxDepth], fails the section.
func (tx *Tx) Emit(name string, data any) {
	if tx.over("Emit") {
		return
	}
	raw, err := json.Marshal(data)
	if err != nil {
		tx.fail(fmt.Errorf("tx.Emit(%q): encode the data: %w", name, err))
		return
	}
	if name == "" {
		tx.fail(errors.New("tx.Emit: a message needs a name"))
		return
	}
	if err := CheckValue(fmt.Sprintf("the message %q", name), raw, MaxMessage); err != nil {
		tx.fail(fmt.Errorf("tx.Emit: %w", err))
		return
	}
	tx.messages = append(tx.messages, Message{Name: name, Data: raw})
}

// Get gives the section another state of its session, under the same lock. The same T gives the same pointer
// throughout one section, and the state that the section was called with is among them. A T that is no state of the app
// fails the section, with nothing committed.
func Get[T any](tx *Tx) *T {
	if tx.over("Get") {
		return new(T)
	}
	value, err := tx.state(reflect.TypeFor[T]())
	if err != nil {
		tx.fail(fmt.Errorf("holdfast.Get: %w", err))
		return new(T)
	}
	state, _ := reflect.TypeAssert[*T](value)
	return state
}

// state decodes a state when it is first asked for.
func (tx *Tx) state(typ reflect.Type) (reflect.Value, error) {
	state := tx.app.stateOf(typ)
	if state == nil {
		return reflect.Value{}, fmt.Errorf("state %s of app %s: %w: add it with app.States", typ, tx.app.name, ErrUnknown)
	}
	if value, ok := tx.states[state.name]; ok {
		return value, nil
	}
	value, unknown, err := state.decodeStored(tx.docs[state.name])
	if err != nil {
		return reflect.Value{}, err
	}
	tx.states[state.name], tx.unknown[state.name] = value, unknown
	return value, nil
}

func (tx *Tx) fail(err error) {
	if tx.err == nil {
		tx.err = err
	}
}

// over reports a Tx that is used after its section ended. There is no caller left to whom an error could go, and a panic
// would take the process down from a goroutine that nobody watches.
func (tx *Tx) over(method string) bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.ended {
		slog.Error("tx used after its section ended; the call has no effect", "method", method, "session", tx.session, "err", ErrImmutableState)
	}
	return tx.ended
}

func (tx *Tx) end() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.ended = true
}
