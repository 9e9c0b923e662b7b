package holdfast

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
)

// What others look up in an App: by a function's value, by name, or all of them.

// Event returns the event of this name; the error wraps [ErrUnknown].
func (a *App) Event(name string) (*Handler, error) {
	if h, ok := a.events[name]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("event %q of app %s: %w", name, a.name, ErrUnknown)
}

// Section returns the section that fn was registered as; the error wraps [ErrUnknown].
func (a *App) Section(fn any) (*Handler, error) {
	if err := checkFunc(fn); err != nil {
		return nil, fmt.Errorf("section of app %s: %w", a.name, err)
	}
	if name, ok := a.byFunc[funcKey{sectionKind, identity(fn)}]; ok {
		return a.sections[name], nil
	}
	return nil, a.unknown(sectionKind, fn)
}

// NamedSection returns the section of this name; the error wraps [ErrUnknown].
func (a *App) NamedSection(name string) (*Handler, error) {
	if h, ok := a.sections[name]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("section %q of app %s: %w", name, a.name, ErrUnknown)
}

// Task returns the task that fn was registered as; the error wraps [ErrUnknown].
func (a *App) Task(fn any) (*Task, error) {
	if err := checkFunc(fn); err != nil {
		return nil, fmt.Errorf("task of app %s: %w", a.name, err)
	}
	if name, ok := a.byFunc[funcKey{taskKind, identity(fn)}]; ok {
		return a.tasks[name], nil
	}
	return nil, a.unknown(taskKind, fn)
}

// Handler makes a handler of a function that is not registered, for changing state from outside of events and
// tasks. The function has the signature of a section; a function literal will do.
func (a *App) Handler(fn any) (*Handler, error) {
	if err := checkFunc(fn); err != nil {
		return nil, fmt.Errorf("app %s: %w", a.name, err)
	}
	h, err := newHandler(a, funcName(fn), fn)
	if err != nil {
		return nil, fmt.Errorf("app %s: %w", a.name, err)
	}
	if a.stateOf(h.state) == nil {
		return nil, fmt.Errorf("app %s: state %s: %w: add it with app.States", a.name, h.state, ErrUnknown)
	}
	return h, nil
}

// StartRequest is a request to start the registered task; the error wraps [ErrUnknown] or [ErrBadArgument].
func (a *App) StartRequest(task any, arg ...any) (Request, error) {
	registered, err := a.Task(task)
	if err != nil {
		return Request{}, err
	}
	raw, err := registered.encodeArgument(arg)
	return Request{Task: registered, Argument: raw}, err
}

// TriggerRequest is a request to run the registered event; the error wraps [ErrUnknown] or [ErrBadArgument].
func (a *App) TriggerRequest(event any, arg ...any) (Request, error) {
	if err := checkFunc(event); err != nil {
		return Request{}, fmt.Errorf("event of app %s: %w", a.name, err)
	}
	name, ok := a.byFunc[funcKey{eventKind, identity(event)}]
	if !ok {
		return Request{}, a.unknown(eventKind, event)
	}
	h := a.events[name]
	raw, err := encodeArgument("event "+name, h.input, arg)
	return Request{Event: h, Argument: raw}, err
}

// NamedTask returns the task of this name; the error wraps [ErrUnknown].
func (a *App) NamedTask(name string) (*Task, error) {
	if t, ok := a.tasks[name]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("task %q of app %s: %w", name, a.name, ErrUnknown)
}

// LoadEvents returns what OnLoad added, in order.
func (a *App) LoadEvents() []*Handler { return slices.Clone(a.onLoad) }

// AllActivities yields the names under which the app's activities are registered, and the functions.
func (a *App) AllActivities() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, fn := range a.work {
			if !yield(a.name+"."+a.byFunc[funcKey{activityKind, identity(fn)}], fn) {
				return
			}
		}
	}
}

// Activity returns the name under which the function is registered as an activity; the error wraps [ErrUnknown].
func (a *App) Activity(fn any) (string, error) {
	if err := checkFunc(fn); err != nil {
		return "", fmt.Errorf("activity of app %s: %w", a.name, err)
	}
	if name, ok := a.byFunc[funcKey{activityKind, identity(fn)}]; ok {
		return a.name + "." + name, nil
	}
	return "", a.unknown(activityKind, fn)
}

// StateOf returns the name of the state of this type; the error wraps [ErrUnknown].
func (a *App) StateOf(typ reflect.Type) (string, error) {
	if state := a.stateOf(typ); state != nil {
		return state.name, nil
	}
	return "", fmt.Errorf("state %s of app %s: %w: add it with app.States", typ, a.name, ErrUnknown)
}

// Document returns the state of this name as the documents have it, or its initial value.
func (a *App) Document(name string, docs Documents) json.RawMessage {
	if doc := docs[name]; doc != nil {
		return doc
	}
	if state := a.states[name]; state != nil {
		return state.initial
	}
	return nil
}

// AllEvents yields the events that a page may send, in the order of their names.
func (a *App) AllEvents() iter.Seq[*Handler] { return byName(a.events) }

// AllSections yields the sections in the order of their names.
func (a *App) AllSections() iter.Seq[*Handler] { return byName(a.sections) }

// AllTasks yields the tasks in the order of their names.
func (a *App) AllTasks() iter.Seq[*Task] { return byName(a.tasks) }

func byName[T any](all map[string]T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if !yield(all[name]) {
				return
			}
		}
	}
}
