package state_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// Raw is a state that keeps JSON of others as it is.
type Raw struct {
	Text json.RawMessage `json:"text"`
}

// noUTF8 is JSON to Go and none to a database.
func noUTF8() json.RawMessage { return json.RawMessage("\"\xff\"") }

func withRaw(workflow.Context, json.RawMessage) error { return nil }

// TestTextThatNoStoreTakesIsRefused: to try again would only repeat it.
func TestTextThatNoStoreTakesIsRefused(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("test", Raw{})
	app.Tasks(withRaw)
	require.NoError(t, app.Check())
	service := state.Open(memory.New(), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	for want, fn := range map[string]any{
		"the state Raw is not UTF-8":                      func(_ *holdfast.Tx, s *Raw) error { s.Text = noUTF8(); return nil },
		"the result is not UTF-8":                         func(*holdfast.Tx, *Raw) (json.RawMessage, error) { return noUTF8(), nil },
		`the message's name "a\x00b" has a NUL character`: func(tx *holdfast.Tx, _ *Raw) error { tx.Emit("a\x00b", 1); return nil },
		`the message's name "\xff" is not UTF-8`:          func(tx *holdfast.Tx, _ *Raw) error { tx.Emit("\xff", 1); return nil },
		`the message "m" is not UTF-8`:                    func(tx *holdfast.Tx, _ *Raw) error { tx.Emit("m", noUTF8()); return nil },
		"the argument of task withRaw is not UTF-8":       func(tx *holdfast.Tx, _ *Raw) error { tx.Start(withRaw, noUTF8()); return nil },
	} {
		err := service.Do(t.Context(), app, session, fn)
		var section *holdfast.SectionError
		require.ErrorAs(t, err, &section, want)
		require.ErrorContains(t, section, want)
	}
	require.NoError(t, service.Do(t.Context(), app, session, func(tx *holdfast.Tx, s *Raw) error {
		s.Text = json.RawMessage(`"\u0000 é 🦊"`)
		tx.Emit("é 🦊", "\x00")
		return nil
	}), "all else is taken")
}

func TestKeysThatNoStoreTakesAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	handler, err := b.app.Handler(increment)
	require.NoError(t, err)
	request := holdfast.Request{Event: handler}
	for _, call := range []state.Call{
		{Handler: handler, Session: session, Key: state.Key{Owner: "load\x00", Position: "1"}},
		{Handler: handler, Session: session, Key: state.Key{Owner: "load", Position: "\xff"}},
		{Handler: handler, Session: session, Run: "\x00"},
		{Handler: handler, Session: session + "\x00"},
		{Handler: handler, Session: session + "\xff"},
	} {
		_, err := b.Apply(t.Context(), call)
		require.ErrorIs(t, err, holdfast.ErrBadArgument)
		require.ErrorIs(t, b.Request(t.Context(), b.app, call, request), holdfast.ErrBadArgument)
	}
	request.Argument = noUTF8()
	require.ErrorIs(t, b.Request(t.Context(), b.app, state.Call{Session: session}, request), holdfast.ErrBadArgument)
	require.Zero(t, b.snapshot().Position)
}

// Size is what resize takes.
type Size struct {
	Width int `json:"width"`
}

func resize(_ *holdfast.Tx, s *State, size Size) error { s.Counter = size.Width; return nil }

func TestApply_IsStrictWithPagesAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	handler, err := b.app.Handler(resize)
	require.NoError(t, err)
	call := state.Call{Handler: handler, Session: session, Input: json.RawMessage(`{"width":3,"height":4}`)}
	for _, kind := range []state.CallKind{state.CallSection, state.CallStep, state.CallTrigger, state.CallOther} {
		call.Kind = kind
		_, err := b.Apply(t.Context(), call)
		require.NoError(t, err, kind)
	}
	call.Kind = state.CallEvent
	_, err = b.Apply(t.Context(), call)
	require.ErrorIs(t, err, holdfast.ErrBadArgument)
}
