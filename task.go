package holdfast

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Task is one background task of an app: a Temporal workflow function together with what its signature says.
// It is immutable and safe for concurrent use.
type Task struct {
	app    *App
	name   string
	fn     any
	arg    reflect.Type // nil when it takes none
	result bool
	opts   TaskOptions
}

const taskShapes = "func(workflow.Context) error, with an argument after the context or a result before the error where needed"

// newTask reads the signature of fn, or says what is wrong with it.
func newTask(app *App, name string, fn any) (*Task, error) {
	typ := reflect.TypeOf(fn)
	wrong := func(what string) error {
		return fmt.Errorf("task %s %s; expected %s, got %s", name, what, taskShapes, typ)
	}
	if typ.IsVariadic() {
		return nil, wrong("is variadic")
	}
	if typ.NumIn() < 1 || typ.NumIn() > 2 || !isWorkflowContext(typ.In(0)) {
		return nil, wrong("takes the wrong arguments")
	}
	if typ.NumOut() < 1 || typ.NumOut() > 2 || typ.Out(typ.NumOut()-1) != errorType {
		return nil, wrong("must return an error, or a result and an error")
	}
	t := &Task{app: app, name: name, fn: fn, result: typ.NumOut() == 2}
	if typ.NumIn() == 2 {
		t.arg = typ.In(1)
		if err := holdable(t.arg); err != nil {
			return nil, fmt.Errorf("task %s: its argument: %w", name, err)
		}
	}
	if t.result {
		if err := holdable(typ.Out(0)); err != nil {
			return nil, fmt.Errorf("task %s: its result: %w", name, err)
		}
	}
	return t, nil
}

// isWorkflowContext knows Temporal's workflow.Context by name: this package imports no SDK.
func isWorkflowContext(typ reflect.Type) bool {
	return typ.Kind() == reflect.Interface && typ.Name() == "Context" && strings.HasPrefix(typ.PkgPath(), "go.temporal.io/sdk/")
}

// App returns the app that the task belongs to.
func (t *Task) App() *App { return t.app }

// Name returns the registered name, such as "MyTask".
func (t *Task) Name() string { return t.name }

// Type returns the Temporal workflow type, such as "counter.MyTask".
func (t *Task) Type() string { return t.app.name + "." + t.name }

// Options returns how the task was registered.
func (t *Task) Options() TaskOptions { return t.opts }

// Func returns the author's workflow function.
func (t *Task) Func() any { return t.fn }

// DecodeArgument returns the call's arguments after the workflow context: none, or the one that the JSON text holds.
// Members that the argument's type does not know are passed over: the program that started the task may be of another
// version. The error wraps [ErrBadArgument].
func (t *Task) DecodeArgument(arg json.RawMessage) ([]reflect.Value, error) {
	if t.arg == nil {
		return nil, nil
	}
	value, err := decodeArgument(arg, t.arg, lenient)
	if err != nil {
		return nil, fmt.Errorf("%w: task %s takes %s, got %s (%w)", ErrBadArgument, t.name, kindOf(t.arg), shorten(arg), err)
	}
	return []reflect.Value{value}, nil
}

// encodeArgument turns what was given to Tx.Start into JSON at once, so that later changes to it do no harm.
func (t *Task) encodeArgument(args []any) (json.RawMessage, error) {
	return encodeArgument("task "+t.name, t.arg, args)
}

// encodeArgument encodes the one argument that a function takes, or none.
func encodeArgument(what string, wants reflect.Type, args []any) (json.RawMessage, error) {
	switch {
	case wants == nil && len(args) == 0:
		return nil, nil
	case wants == nil:
		return nil, fmt.Errorf("%w: %s takes no argument, got %d", ErrBadArgument, what, len(args))
	case len(args) != 1:
		return nil, fmt.Errorf("%w: %s takes one argument (%s), got %d", ErrBadArgument, what, wants, len(args))
	case reflect.TypeOf(args[0]) == nil || !reflect.TypeOf(args[0]).AssignableTo(wants):
		return nil, fmt.Errorf("%w: %s takes a %s, got a %T", ErrBadArgument, what, wants, args[0])
	}
	raw, err := json.Marshal(args[0])
	if err != nil {
		return nil, fmt.Errorf("%w: %s: encode the argument: %w", ErrBadArgument, what, err)
	}
	if err := CheckValue("the argument of "+what, raw, MaxArgument); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadArgument, err)
	}
	return raw, nil
}
