package holdfast

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
)

// Outcome is what one run of a handler did, to be committed whole.
type Outcome struct {
	// Documents are the states that changed, in their new form.
	Documents Documents
	// Result is what the function returned beside its error, as JSON, or nil.
	Result json.RawMessage
	// Requests are the tasks and events it asked for, in order.
	Requests []Request
	// Messages are what it told the page, in order.
	Messages []Message
}

// Changes reports whether there is anything to commit.
func (o *Outcome) Changes() bool {
	return len(o.Documents) > 0 || len(o.Requests) > 0 || len(o.Messages) > 0
}

// Run calls the handler's function on a private copy of the session's states and returns what it did. Nothing is written
// anywhere; docs are not changed. It returns when the function does, so who calls it guards the deadline.
//
// The errors: [ErrBadArgument] for an input that does not fit; [SectionError] for what the function returned or did wrong
// with its Tx; [PanicError] for a panic. Safe for concurrent use.
func (h *Handler) Run(ctx context.Context, session SessionID, docs Documents, input json.RawMessage) (*Outcome, error) {
	return h.run(ctx, session, docs, input, false)
}

// Look calls the handler's function on a private copy of the session's states, of which it may not change anything. The
// errors are those of [Handler.Run], and [ErrImmutableState] if it did.
func (h *Handler) Look(ctx context.Context, session SessionID, docs Documents) error {
	outcome, err := h.run(ctx, session, docs, nil, true)
	if err == nil && outcome.Changes() {
		return fmt.Errorf("%s: %w", h.Type(), ErrImmutableState)
	}
	return err
}

func (h *Handler) run(ctx context.Context, session SessionID, docs Documents, input json.RawMessage, looking bool) (out *Outcome, err error) {
	defer containTo(&err, h.Type())
	args, err := h.decodeInput(input, lenient)
	if err != nil {
		return nil, err
	}
	tx := &Tx{app: h.app, ctx: ctx, session: session, docs: docs, states: map[string]reflect.Value{}, unknown: map[string]bool{}, looking: looking}
	defer tx.end()
	state, err := tx.state(h.state)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", h.Type(), err)
	}
	results := h.fn.Call(append([]reflect.Value{reflect.ValueOf(tx), state}, args...))
	if err := errors.Join(tx.err, returned(results)); err != nil {
		return nil, &SectionError{Function: h.Type(), Err: err}
	}
	return h.outcome(tx, results)
}

// containTo makes an error of a panic in an author's code: the function itself, or how its values read and write JSON. It
// is deferred.
func containTo(err *error, function string) { //nolint:gocritic // it sets the named result of the function that defers it
	if value := recover(); value != nil { //nolint:revive // containTo is what is deferred
		*err = newPanicError(function, value)
	}
}

// returned is the error at the end of a function's results.
func returned(results []reflect.Value) error {
	err, _ := reflect.TypeAssert[error](results[len(results)-1])
	return err
}

// outcome encodes what the function left behind.
func (h *Handler) outcome(tx *Tx, results []reflect.Value) (*Outcome, error) {
	out := &Outcome{Documents: Documents{}, Requests: tx.requests, Messages: tx.messages}
	for name, value := range tx.states {
		doc, changed, err := tx.document(name, value)
		if err != nil {
			return nil, &SectionError{Function: h.Type(), Err: err}
		}
		if changed {
			out.Documents[name] = doc
		}
	}
	if !h.result {
		return out, nil
	}
	raw, err := json.Marshal(results[0].Interface())
	if err != nil {
		return nil, &SectionError{Function: h.Type(), Err: fmt.Errorf("encode the result: %w", err)}
	}
	if err := CheckValue("the result", raw, MaxResult); err != nil {
		return nil, &SectionError{Function: h.Type(), Err: err}
	}
	out.Result = raw
	return out, nil
}

// document is the new form of a state that the section has had in its hands, and whether it is
// another one than before.
func (tx *Tx) document(name string, value reflect.Value) (doc json.RawMessage, changed bool, err error) {
	state, before := tx.app.states[name], tx.docs[name]
	if doc, err = json.Marshal(value.Interface()); err != nil {
		return nil, false, fmt.Errorf("encode state %s: %w", name, err)
	}
	if before == nil {
		before = state.initial
	}
	// Who only looks at a document that an older program wrote has changed nothing, although this
	// program would write it otherwise; keepUnknown tells the two apart.
	if tx.unknown[name] || tx.looking && !bytes.Equal(doc, before) {
		if doc, err = state.keepUnknown(before, doc); err != nil {
			return nil, false, err
		}
	}
	if bytes.Equal(doc, before) {
		return nil, false, nil
	}
	return doc, true, CheckValue("the state "+name, doc, MaxState)
}

func newPanicError(function string, value any) *PanicError {
	return &PanicError{Function: function, Value: value, Stack: string(debug.Stack())}
}
