package holdfast

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"reflect"
	"slices"
)

// App is one application: its states, events, sections and tasks, and the page that shows it.
//
// It is filled once, at start-up, and then only read: registering is not safe for concurrent use, everything else is.
// What is registered wrongly is remembered and reported by [App.Check], which everything that runs an App calls first.
type App struct {
	name     string
	states   map[string]*stateType
	events   map[string]*Handler
	sections map[string]*Handler
	tasks    map[string]*Task
	byFunc   map[funcKey]string
	page     fs.FS
	errs     []error
}

// funcKey finds a registered name by the function's code; the same function may be both an event and a section.
type funcKey struct {
	kind kind
	code uintptr
}

type kind string

const (
	eventKind   kind = "event"
	sectionKind kind = "section"
	taskKind    kind = "task"
)

// NewApp returns an app of the given name (a lower-case letter, then up to 31 of a-z, 0-9 and _) with its first state.
// The state is given by its initial value, a struct that JSON can hold; it is known by the name of its type.
func NewApp(name string, initial any) *App {
	app := &App{
		name:     name,
		states:   map[string]*stateType{},
		events:   map[string]*Handler{},
		sections: map[string]*Handler{},
		tasks:    map[string]*Task{},
		byFunc:   map[funcKey]string{},
	}
	if !appName.MatchString(name) {
		app.fail(errors.New("the name must be a lower-case letter followed by up to 31 of a-z, 0-9 and _"))
	}
	app.States(initial)
	return app
}

// States adds further states that live in each session beside the first, by their initial values.
func (a *App) States(initial ...any) {
	for _, value := range initial {
		state, err := newStateType(value)
		if err != nil {
			a.fail(err)
			continue
		}
		if _, twice := a.states[state.name]; twice {
			a.fail(fmt.Errorf("state %s is registered twice: states go by the name of their type", state.name))
			continue
		}
		a.states[state.name] = state
	}
}

// Events adds functions that the page may call: func(*Tx, *State) error, or with one argument after the state.
func (a *App) Events(fns ...any) {
	for _, fn := range fns {
		h := a.register(eventKind, fn)
		if h == nil {
			continue
		}
		if h.result {
			a.fail(fmt.Errorf("event %s must return only an error: the page sees the changed state, not a result", h.name))
			continue
		}
		a.events[h.name] = h
	}
}

// Sections adds functions that tasks run with the session's state locked: func(*Tx, *State) error, or with one input
// after the state, or with a result before the error.
func (a *App) Sections(fns ...any) {
	for _, fn := range fns {
		if h := a.register(sectionKind, fn); h != nil {
			a.sections[h.name] = h
		}
	}
}

// Tasks adds background tasks: Temporal workflow functions, func(workflow.Context) error, or with one argument after
// the context, or with a result before the error.
func (a *App) Tasks(fns ...any) {
	for _, arg := range fns {
		name, fn, err := nameOf(arg)
		if err != nil {
			a.fail(fmt.Errorf("task: %w", err))
			continue
		}
		task, err := newTask(a, name, fn)
		if err != nil {
			a.fail(err)
			continue
		}
		if a.claim(taskKind, name, fn) {
			a.tasks[name] = task
		}
	}
}

// Page sets the files that the starter serves at the app's path, an index.html among them.
func (a *App) Page(files fs.FS) { a.page = files }

// Files returns what Page set, or nil.
func (a *App) Files() fs.FS { return a.page }

// Name returns the app's name.
func (a *App) Name() string { return a.name }

// Check returns what was wrong with any registration, all of it joined, or nil.
func (a *App) Check() error {
	errs := slices.Clone(a.errs)
	for _, handlers := range []map[string]*Handler{a.events, a.sections} {
		for _, name := range slices.Sorted(maps.Keys(handlers)) {
			if h := handlers[name]; a.stateOf(h.state) == nil {
				errs = append(errs, fmt.Errorf("app %s: %s takes *%s, which is no state of the app: add it with app.States", a.name, name, h.state))
			}
		}
	}
	return errors.Join(errs...)
}

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
	return nil, fmt.Errorf("section %s of app %s: %w: add it with app.Sections", funcName(fn), a.name, ErrUnknown)
}

// Task returns the task that fn was registered as; the error wraps [ErrUnknown].
func (a *App) Task(fn any) (*Task, error) {
	if err := checkFunc(fn); err != nil {
		return nil, fmt.Errorf("task of app %s: %w", a.name, err)
	}
	if name, ok := a.byFunc[funcKey{taskKind, identity(fn)}]; ok {
		return a.tasks[name], nil
	}
	return nil, fmt.Errorf("task %s of app %s: %w: add it with app.Tasks", funcName(fn), a.name, ErrUnknown)
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

// Visible returns what the client may see of every state of the app, given the documents of a session. Equal states
// give equal JSON. A panic in an author's View is returned as a [PanicError].
func (a *App) Visible(docs Documents) (Documents, error) {
	views := make(Documents, len(a.states))
	for name, state := range a.states {
		view, err := state.visible(docs[name])
		if err != nil {
			return nil, fmt.Errorf("app %s: %w", a.name, err)
		}
		views[name] = view
	}
	return views, nil
}

// register makes a handler of the function, or remembers what is wrong with it and returns nil.
func (a *App) register(kind kind, arg any) *Handler {
	name, fn, err := nameOf(arg)
	if err != nil {
		a.fail(fmt.Errorf("%s: %w", kind, err))
		return nil
	}
	h, err := newHandler(a, name, fn)
	if err != nil {
		a.fail(fmt.Errorf("%s %w", kind, err))
		return nil
	}
	if !a.claim(kind, name, fn) {
		return nil
	}
	return h
}

// claim takes a name and a function for one registration.
func (a *App) claim(kind kind, name string, fn any) bool {
	for key, other := range a.byFunc {
		if key.kind == kind && other == name {
			a.fail(fmt.Errorf("%s %s is registered twice: give one of them another name with holdfast.Named", kind, name))
			return false
		}
	}
	key := funcKey{kind, identity(fn)}
	if other, twice := a.byFunc[key]; twice {
		a.fail(fmt.Errorf("%s %s is already registered as %s", kind, name, other))
		return false
	}
	a.byFunc[key] = name
	return true
}

func (a *App) fail(err error) {
	a.errs = append(a.errs, fmt.Errorf("app %s: %w", a.name, err))
}

func (a *App) stateOf(typ reflect.Type) *stateType {
	if state, ok := a.states[typ.Name()]; ok && state.typ == typ {
		return state
	}
	return nil
}
