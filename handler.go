package holdfast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"
)

var (
	txType    = reflect.TypeFor[*Tx]()
	errorType = reflect.TypeFor[error]()
)

// Handler is one event or section of an app: an author's function together with what its signature says.
// It is immutable and safe for concurrent use.
type Handler struct {
	app    *App
	name   string
	fn     reflect.Value
	state  reflect.Type // S of the *S it takes
	input  reflect.Type // nil when it takes no input
	result bool         // whether it gives a result before the error
}

const handlerShapes = "func(*holdfast.Tx, *State) error, with an input after the state or a result before the error where needed"

// newHandler reads the signature of fn, or says what is wrong with it.
func newHandler(app *App, name string, fn any) (*Handler, error) {
	typ := reflect.TypeOf(fn)
	if what := misshapen(typ); what != "" {
		return nil, fmt.Errorf("%s %s; expected %s, got %s", name, what, handlerShapes, typ)
	}
	h := &Handler{app: app, name: name, fn: reflect.ValueOf(fn), state: typ.In(1).Elem(), result: typ.NumOut() == 2}
	if typ.NumIn() == 3 {
		h.input = typ.In(2)
		if err := holdable(h.input); err != nil {
			return nil, fmt.Errorf("%s: its input: %w", name, err)
		}
	}
	if h.result {
		if err := holdable(typ.Out(0)); err != nil {
			return nil, fmt.Errorf("%s: its result: %w", name, err)
		}
	}
	return h, nil
}

// misshapen says what is wrong with a handler's signature, or nothing.
func misshapen(typ reflect.Type) string {
	switch in, out := typ.NumIn(), typ.NumOut(); {
	case typ.IsVariadic():
		return "is variadic"
	case in < 2, in > 3, typ.In(0) != txType:
		return "takes the wrong arguments"
	case typ.In(1).Kind() != reflect.Pointer, typ.In(1).Elem().Kind() != reflect.Struct:
		return "must take its state as a pointer to a struct"
	case out < 1, out > 2, typ.Out(out-1) != errorType:
		return "must return an error, or a result and an error"
	default:
		return ""
	}
}

// App returns the app that the handler belongs to.
func (h *Handler) App() *App { return h.app }

// Name returns the registered name, such as "step".
func (h *Handler) Name() string { return h.name }

// Type returns the name that is unique among apps, such as "counter.step"; a section's Temporal activity type.
func (h *Handler) Type() string { return h.app.name + "." + h.name }

// TakesInput reports whether the function has a parameter after the state.
func (h *Handler) TakesInput() bool { return h.input != nil }

// InputKind names the kind of JSON that the function's input is: "boolean", "number", "string", "array", "object" or "value"
// for any of them. Empty for a function that takes none.
func (h *Handler) InputKind() string {
	if h.input == nil {
		return ""
	}
	return jsonKind(h.input)
}

// CheckInput says, without running anything, whether the JSON text fits the function's input. Nothing (nil) fits a
// function that takes none, and members that the input's type does not know are passed over: a program of another version
// may have written them. The error wraps [ErrBadArgument] and names the value and what was expected.
func (h *Handler) CheckInput(input json.RawMessage) error {
	_, err := h.decodeInput(input, lenient)
	return err
}

// CheckPageInput is [Handler.CheckInput] for what a page sent, of which the type must know every member.
func (h *Handler) CheckPageInput(input json.RawMessage) error {
	_, err := h.decodeInput(input, strict)
	return err
}

func (h *Handler) decodeInput(input json.RawMessage, how decoding) (args []reflect.Value, err error) {
	defer containTo(&err, h.Type()) // an author's UnmarshalJSON
	if h.input == nil {
		if len(input) > 0 && string(input) != "null" {
			return nil, fmt.Errorf("%w: %s takes no argument, got %s", ErrBadArgument, h.name, shorten(input))
		}
		return nil, nil
	}
	if len(input) == 0 {
		return nil, fmt.Errorf("%w: %s takes %s, got nothing", ErrBadArgument, h.name, kindOf(h.input))
	}
	value, err := decodeArgument(input, h.input, how)
	if err != nil {
		return nil, fmt.Errorf("%w: %s takes %s, got %s (%s)", ErrBadArgument, h.name, kindOf(h.input), shorten(input), shorten(err.Error()))
	}
	return []reflect.Value{value}, nil
}

// decoding is how members are dealt with that a type does not know.
type decoding bool

const (
	strict  decoding = true  // they are an error
	lenient decoding = false // they are passed over
)

// decodeArgument reads one JSON value: nothing may follow it, and null fits only what can be nil.
func decodeArgument(input json.RawMessage, typ reflect.Type, how decoding) (reflect.Value, error) {
	value := reflect.New(typ)
	decoder := json.NewDecoder(bytes.NewReader(input))
	if how == strict {
		decoder.DisallowUnknownFields()
	}
	if err := decoder.Decode(value.Interface()); err != nil {
		return reflect.Value{}, fmt.Errorf("decode: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return reflect.Value{}, errors.New("more than one JSON value")
	}
	if bytes.Equal(bytes.TrimSpace(input), []byte("null")) && !nilable(typ) {
		return reflect.Value{}, errors.New("null is no value for it")
	}
	return value.Elem(), nil
}

func nilable(typ reflect.Type) bool {
	switch typ.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return true
	default:
		return hasOwnJSON(typ)
	}
}

// kindOf names a Go type in the words of JSON, for a person who sees only the page.
func kindOf(typ reflect.Type) string { return fmt.Sprintf("a JSON %s (%s)", jsonKind(typ), typ) }

// jsonKind names the kind of JSON that a Go type is written as.
func jsonKind(typ reflect.Type) string {
	switch kind := typ.Kind(); {
	case hasOwnJSON(typ), kind == reflect.Pointer:
		return "value"
	case kind == reflect.Bool:
		return "boolean"
	case kind == reflect.String:
		return "string"
	case kind == reflect.Slice, kind == reflect.Array:
		return "array"
	case kind == reflect.Struct, kind == reflect.Map:
		return "object"
	case kind >= reflect.Int && kind <= reflect.Float64:
		return "number"
	default:
		return "value"
	}
}

// shorten keeps an error message readable whatever was sent: it takes time for what it returns, not for what it is given.
func shorten[Text string | json.RawMessage](text Text) string { return shortenTo(text, 80+len("…")) }

// shortenTo returns at most limit bytes of the text, whole runes, with an ellipsis in place of the rest.
func shortenTo[Text string | json.RawMessage](text Text, limit int) string {
	if len(text) <= limit {
		return string(text)
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return string(text[:end]) + "…"
}
