package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-run/holdfast"
)

// Not every store can keep every text: PostgreSQL takes no NUL and nothing that is not UTF-8. What cannot be kept everywhere is
// refused before it comes to a driver, with an error of which nobody thinks that it may pass.

var (
	errNotUTF8 = errors.New("is not UTF-8")
	errNUL     = errors.New("has a NUL character")
)

// checkText refuses a text, of that kind, that a store cannot keep.
func checkText(kind, text string) error {
	switch {
	case !utf8.ValidString(text):
		return fmt.Errorf("%s %q %w", kind, text, errNotUTF8)
	case strings.ContainsRune(text, 0):
		return fmt.Errorf("%s %q %w", kind, text, errNUL)
	}
	return nil
}

// checkJSON refuses a JSON text that a store cannot keep. A NUL in it is written \u0000, which any can.
func checkJSON(kind string, text json.RawMessage) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%s %w", kind, errNotUTF8)
	}
	return nil
}

// checkNames refuses a session or key that cannot be looked for.
func checkNames(session holdfast.SessionID, key Key) error {
	if err := errors.Join(checkText("the session", string(session)), checkText("the key", key.String())); err != nil {
		return fmt.Errorf("%w: %w", holdfast.ErrBadArgument, err)
	}
	return nil
}

// checkSession refuses a session that is not one of the app.
func checkSession(app *holdfast.App, session holdfast.SessionID) error {
	if session.App() != app.Name() || session.Key() == "" {
		return fmt.Errorf("%w: session %q is not one of app %s, whose sessions are called %s-…", holdfast.ErrBadArgument, session, app.Name(), app.Name())
	}
	return nil
}

// checkOutcome refuses what a section wants to be kept and cannot be. It would be so again.
func checkOutcome(outcome *holdfast.Outcome) error {
	err := errors.Join(checkJSON("the result", outcome.Result), checkArguments(outcome.Requests))
	for name, body := range outcome.Documents {
		err = errors.Join(err, checkText("the state's name", name), checkJSON("the state "+name, body))
	}
	for _, m := range outcome.Messages {
		err = errors.Join(err, checkText("the message's name", m.Name), checkJSON(fmt.Sprintf("the message %q", m.Name), m.Data))
	}
	return err
}

// checkRequests refuses what no section could have asked for.
func checkRequests(app *holdfast.App, requests []holdfast.Request) error {
	for _, r := range requests {
		switch {
		case (r.Task == nil) == (r.Event == nil):
			return errors.New("a request is for a task or for an event")
		case r.Task != nil && r.Task.App() != app, r.Event != nil && r.Event.App() != app:
			return fmt.Errorf("%s is not one of app %s", nameOf(r), app.Name())
		}
	}
	return checkArguments(requests)
}

func checkArguments(requests []holdfast.Request) (err error) {
	for _, r := range requests {
		what := "the argument of " + nameOf(r)
		err = errors.Join(err, checkJSON(what, r.Argument), holdfast.CheckValue(what, r.Argument, holdfast.MaxArgument))
	}
	return err
}

func nameOf(r holdfast.Request) string {
	if r.Task != nil {
		return "task " + r.Task.Name()
	}
	return "event " + r.Event.Name()
}
