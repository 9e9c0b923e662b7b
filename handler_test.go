package holdfast_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
)

// Size is an input, and an argument.
type Size struct {
	Width int `json:"width"`
}

func resize(_ *holdfast.Tx, s *State, size Size) error { s.Counter = size.Width; return nil }
func resizing(workflow.Context, Size) error            { return nil }

func TestInput_IsStrictForPagesAlone(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.Tasks(resizing)
	handler, err := app.Handler(resize)
	require.NoError(t, err)
	newer := json.RawMessage(`{"width":3,"height":4}`)
	require.ErrorIs(t, handler.CheckPageInput(newer), holdfast.ErrBadArgument)
	require.NoError(t, handler.CheckInput(newer))
	out, err := handler.Run(t.Context(), session, nil, newer)
	require.NoError(t, err)
	require.JSONEq(t, `{"counter":3,"_hidden":0}`, string(out.Documents["State"]))
	task, err := app.Task(resizing)
	require.NoError(t, err)
	args, err := task.DecodeArgument(newer)
	require.NoError(t, err)
	require.Equal(t, Size{Width: 3}, args[0].Interface())
	for _, wrong := range []string{`{"width":"3"}`, `3`, `{"width":3} 4`, `null`, ``} {
		require.ErrorIs(t, handler.CheckInput(json.RawMessage(wrong)), holdfast.ErrBadArgument, wrong)
		_, err = task.DecodeArgument(json.RawMessage(wrong))
		require.ErrorIs(t, err, holdfast.ErrBadArgument, wrong)
	}
}

// Bomb is a value whose own JSON methods panic.
type Bomb struct{ Armed, Read bool }

var errBomb = errors.New("out of cheese")

// MarshalJSON panics if the bomb is armed.
func (b Bomb) MarshalJSON() ([]byte, error) {
	if b.Armed {
		panic(errBomb)
	}
	return []byte(`0`), nil
}

// UnmarshalJSON panics unless it reads what MarshalJSON wrote.
func (b *Bomb) UnmarshalJSON(raw []byte) error {
	if string(raw) != "0" {
		panic(errBomb)
	}
	return nil
}

// Mined is a state with a bomb in it.
type Mined struct{ Bomb Bomb }

func TestRun_ContainsPanicOfJSONMethods(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("test", Mined{})
	require.NoError(t, app.Check())
	for name, c := range map[string]struct {
		fn            any
		stored, input string
	}{
		"encoding the state":  {fn: func(_ *holdfast.Tx, s *Mined) error { s.Bomb.Armed = true; return nil }},
		"encoding the result": {fn: func(*holdfast.Tx, *Mined) (Bomb, error) { return Bomb{Armed: true}, nil }},
		"decoding the state":  {fn: func(*holdfast.Tx, *Mined) error { return nil }, stored: `{"Bomb":1}`},
		"decoding the input":  {fn: func(*holdfast.Tx, *Mined, Bomb) error { return nil }, input: "1"},
	} {
		docs := holdfast.Documents{}
		if c.stored != "" {
			docs["Mined"] = json.RawMessage(c.stored)
		}
		_, err := run(t, app, c.fn, docs, c.input)
		var panicked *holdfast.PanicError
		require.ErrorAs(t, err, &panicked, name)
		require.ErrorIs(t, err, errBomb, name)
	}
	handler, err := app.Handler(func(*holdfast.Tx, *Mined, Bomb) error { return nil })
	require.NoError(t, err)
	require.ErrorIs(t, handler.CheckPageInput(json.RawMessage("1")), errBomb)
}
