package holdfast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
	onLoad   []*Handler
	onError  []func(context.Context, Failure)
	work     []any // activities
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
	// loadKind and activityKind have names of their own: an event may also run on load.
	loadKind     kind = "on-load event"
	activityKind kind = "activity"
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

// OnLoad adds events that run once for each load of the page, in this order, before anything the page sends: not when a page
// that is open reconnects. They take no argument. The page cannot send them unless they are among the Events as well.
func (a *App) OnLoad(fns ...any) {
	for _, fn := range fns {
		h := a.register(loadKind, fn)
		if h == nil {
			continue
		}
		if h.result || h.input != nil {
			a.fail(fmt.Errorf("event %s runs on load, so it must take no argument and return only an error", h.name))
			continue
		}
		a.onLoad = append(a.onLoad, h)
	}
}

// Activities adds ordinary Temporal activities that tasks call through workflows.Step: work that is neither quick nor
// under a lock. Each is func(context.Context) error, or with any arguments after the context and a result before the
// error. A worker of this app hosts them under their function's name behind the app's, such as "report.Build".
func (a *App) Activities(fns ...any) {
	for _, arg := range fns {
		name, fn, err := nameOf(arg)
		if err != nil {
			a.fail(fmt.Errorf("activity: %w", err))
			continue
		}
		if a.sections[name] != nil {
			a.fail(fmt.Errorf("activity %s has the name of a section: give one of them another name with holdfast.Named", name))
			continue
		}
		if a.claim(activityKind, name, fn) {
			a.work = append(a.work, fn)
		}
	}
}

// OnError adds functions that are told of each failure: a task that ended with an error; an event that panicked, took too long
// or returned an error other than a [Rejection]. They are
// called where it happened, in a worker or a starter, at least once for each failure, and must not take long. A panic in
// one is contained.
func (a *App) OnError(fns ...func(context.Context, Failure)) { a.onError = append(a.onError, fns...) }

// Tasks adds background tasks: Temporal workflow functions, func(workflow.Context) error, or with one argument after
// the context, or with a result before the error. One that is to differ from the default is given as [With].
func (a *App) Tasks(fns ...any) {
	for _, arg := range fns {
		arg, opts := optionsOf(arg)
		name, fn, err := nameOf(arg)
		if err != nil {
			a.fail(fmt.Errorf("task: %w", err))
			continue
		}
		task, err := newTask(a, name, fn)
		if err == nil {
			task.opts, err = opts.checked(name)
		}
		if err != nil {
			a.fail(err)
			continue
		}
		if a.claim(taskKind, name, fn) {
			a.tasks[name] = task
		}
	}
}

// Page sets the files that the starter serves at the app's path, an index.html among them. Without it the starter serves a plain page,
// with the session's state, tasks and messages and a form for each event.
func (a *App) Page(files fs.FS) { a.page = files }

// Files returns what Page set, or nil.
func (a *App) Files() fs.FS { return a.page }

// Name returns the app's name.
func (a *App) Name() string { return a.name }

// Check returns what was wrong with any registration, all of it joined, or nil.
func (a *App) Check() error {
	errs := slices.Clone(a.errs)
	handlers := slices.Concat(slices.Collect(byName(a.events)), slices.Collect(byName(a.sections)), a.onLoad)
	for _, h := range handlers {
		if a.stateOf(h.state) == nil {
			errs = append(errs, fmt.Errorf("app %s: %s takes *%s, which is no state of the app: add it with app.States", a.name, h.name, h.state))
		}
	}
	return errors.Join(errs...)
}

// Visible returns what the client may see of every state of the app, given the documents of a session. Equal states
// give equal JSON. A panic in an author's View is returned as a [PanicError].
func (a *App) Visible(docs Documents) (Documents, error) {
	views := make(Documents, len(a.states))
	for name := range a.states {
		view, err := a.VisibleState(name, docs)
		if err != nil {
			return nil, err
		}
		views[name] = view
	}
	return views, nil
}

// VisibleState is [App.Visible] of the one state of this name; the error wraps [ErrUnknown] if the app has none.
func (a *App) VisibleState(name string, docs Documents) (json.RawMessage, error) {
	state, ok := a.states[name]
	if !ok {
		return nil, fmt.Errorf("state %s of app %s: %w", name, a.name, ErrUnknown)
	}
	view, err := state.visible(docs[name])
	if err != nil {
		return nil, fmt.Errorf("app %s: %w", a.name, err)
	}
	return view, nil
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

// unknown says how a function is meant to be used that was used as something it is not registered as.
func (a *App) unknown(wanted kind, fn any) error {
	use := map[kind]string{
		eventKind: "trigger it with tx.Trigger or workflows.Trigger", sectionKind: "a task runs it with workflows.Locked or Do",
		taskKind: "start it with tx.Start or workflows.Start", activityKind: "a task runs it with workflows.Step",
	}
	for _, is := range []kind{taskKind, eventKind, sectionKind, activityKind} {
		if name, ok := a.byFunc[funcKey{is, identity(fn)}]; ok {
			return fmt.Errorf("%s of app %s: %w as %s: it is the %s %s, %s", funcName(fn), a.name, ErrUnknown, wanted, is, name, use[is])
		}
	}
	adder := map[kind]string{eventKind: "Events", sectionKind: "Sections", taskKind: "Tasks", activityKind: "Activities"}[wanted]
	return fmt.Errorf("%s %s of app %s: %w: add it with app.%s", wanted, funcName(fn), a.name, ErrUnknown, adder)
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
