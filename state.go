package holdfast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// Documents are the states of one session by name, each in its JSON form. A state that has never been written is
// absent and reads as its initial value.
type Documents map[string]json.RawMessage

// stateType is one registered state: its Go type, its initial value and what of it the client sees.
type stateType struct {
	name    string
	typ     reflect.Type
	initial json.RawMessage
	view    *reflect.Method // of *T; nil when the state itself is the view
}

// newStateType checks that JSON can hold the value, so that nothing is lost between two sections.
func newStateType(initial any) (*stateType, error) {
	typ := reflect.TypeOf(initial)
	if typ == nil || typ.Kind() != reflect.Struct {
		return nil, fmt.Errorf("state %T: expected a struct value, as in holdfast.NewApp(\"counter\", State{})", initial)
	}
	if err := holdable(typ); err != nil {
		return nil, fmt.Errorf("state %s: %w", typ, err)
	}
	raw, err := json.Marshal(initial)
	if err != nil {
		return nil, fmt.Errorf("state %s: encode the initial value: %w", typ, err)
	}
	s := &stateType{name: typ.Name(), typ: typ, initial: raw}
	if s.name == "" {
		return nil, fmt.Errorf("state %s: expected a named struct type", typ)
	}
	if err := s.checkRoundTrip(); err != nil {
		return nil, err
	}
	if err := s.findView(); err != nil {
		return nil, err
	}
	return s, nil
}

// checkRoundTrip writes the initial value, reads it and writes it again: a difference is something that would be lost.
func (s *stateType) checkRoundTrip() error {
	value, err := s.decode(nil)
	if err != nil {
		return fmt.Errorf("state %s: read back the initial value: %w", s.typ, err)
	}
	again, err := json.Marshal(value.Interface())
	if err != nil {
		return fmt.Errorf("state %s: encode the initial value again: %w", s.typ, err)
	}
	if !bytes.Equal(again, s.initial) {
		return fmt.Errorf("state %s: JSON does not hold it: written %s, read back as %s", s.typ, s.initial, again)
	}
	return nil
}

// findView looks for the method View by which a state chooses what the client sees.
func (s *stateType) findView() error {
	method, ok := reflect.PointerTo(s.typ).MethodByName("View")
	if !ok {
		return nil
	}
	if method.Type.NumIn() != 1 || method.Type.NumOut() != 1 {
		return fmt.Errorf("state %s: View must be func() T with no argument and one result, got %s", s.typ, method.Type)
	}
	s.view = &method
	if _, err := s.visible(s.initial); err != nil {
		return fmt.Errorf("state %s: View of the initial value: %w", s.typ, err)
	}
	return nil
}

// decode returns a new *T with the document, or with the initial value when there is none.
func (s *stateType) decode(doc json.RawMessage) (reflect.Value, error) {
	if doc == nil {
		doc = s.initial
	}
	value := reflect.New(s.typ)
	if err := json.Unmarshal(doc, value.Interface()); err != nil {
		return value, fmt.Errorf("read state %s: %w", s.name, err)
	}
	return value, nil
}

// visible returns what the client may see of the document.
func (s *stateType) visible(doc json.RawMessage) (view json.RawMessage, err error) {
	defer containTo(&err, s.name+".View")
	if s.view == nil {
		if doc == nil {
			doc = s.initial
		}
		return clientJSON(doc)
	}
	value, err := s.decode(doc)
	if err != nil {
		return nil, err
	}
	shown := s.view.Func.Call([]reflect.Value{value})[0].Interface()
	if doc, err = json.Marshal(shown); err != nil {
		return nil, fmt.Errorf("encode the view of state %s: %w", s.name, err)
	}
	if err := CheckValue("the view of state "+s.name, doc, MaxState); err != nil {
		return nil, err
	}
	return clientJSON(doc)
}
