package holdfast_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

const session = holdfast.SessionID("counter-abc")

// run calls a function of a section's signature as the state service would.
func run(t *testing.T, app *holdfast.App, fn any, docs holdfast.Documents, input string) (*holdfast.Outcome, error) {
	t.Helper()
	handler, err := app.Handler(fn)
	require.NoError(t, err)
	return handler.Run(t.Context(), session, docs, json.RawMessage(input))
}

func TestRunWorksOnACopy(t *testing.T) {
	t.Parallel()
	docs := holdfast.Documents{"State": json.RawMessage(`{"counter":5,"_hidden":0}`)}
	out, err := run(t, newApp(t), Add, docs, "3")
	require.NoError(t, err)
	require.JSONEq(t, `{"counter":8,"_hidden":0}`, string(out.Documents["State"]))
	require.JSONEq(t, `{"counter":5,"_hidden":0}`, string(docs["State"]))
	require.Nil(t, out.Result)
}

func TestRunBeginsWithTheInitialValue(t *testing.T) {
	t.Parallel()
	out, err := run(t, newApp(t), read, nil, "")
	require.NoError(t, err)
	require.JSONEq(t, "1", string(out.Result))
	require.False(t, out.Changes(), "reading changes nothing")
}

func TestGetGivesEachStateOnce(t *testing.T) {
	t.Parallel()
	out, err := run(t, newApp(t), func(tx *holdfast.Tx, s *State) error {
		if holdfast.Get[State](tx) != s {
			return errors.New("the section's own state is another pointer")
		}
		holdfast.Get[Other](tx).Text = "changed"
		require.Equal(t, session, tx.Session())
		return nil
	}, nil, "")
	require.NoError(t, err)
	require.Equal(t, holdfast.Documents{"Other": json.RawMessage(`{"text":"changed"}`)}, out.Documents)
}

func TestStartsAndMessagesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	out, err := run(t, newApp(t), func(tx *holdfast.Tx, _ *State) error {
		tx.Start(CountTo, 7)
		tx.Emit("toast", "saved")
		tx.Start(Count)
		tx.Emit("toast", 2)
		return nil
	}, nil, "")
	require.NoError(t, err)
	require.Len(t, out.Requests, 2)
	require.Equal(t, "CountTo", out.Requests[0].Task.Name())
	require.JSONEq(t, "7", string(out.Requests[0].Argument))
	require.Equal(t, "Count", out.Requests[1].Task.Name())
	require.Equal(t, []holdfast.Message{{Name: "toast", Data: json.RawMessage(`"saved"`)}, {Name: "toast", Data: json.RawMessage("2")}}, out.Messages)
}

func TestMisuseOfTxFailsTheSection(t *testing.T) {
	t.Parallel()
	type stranger struct{}
	for name, c := range map[string]struct {
		fn   func(*holdfast.Tx, *State) error
		want string
	}{
		"unregistered task":     {func(tx *holdfast.Tx, _ *State) error { tx.Start(plainTask); return nil }, "plainTask"},
		"missing argument":      {func(tx *holdfast.Tx, _ *State) error { tx.Start(CountTo); return nil }, "takes one argument (int), got 0"},
		"argument for none":     {func(tx *holdfast.Tx, _ *State) error { tx.Start(Count, 1); return nil }, "takes no argument"},
		"wrong argument":        {func(tx *holdfast.Tx, _ *State) error { tx.Start(CountTo, "7"); return nil }, "takes a int, got a string"},
		"unknown state":         {func(tx *holdfast.Tx, _ *State) error { holdfast.Get[stranger](tx); return nil }, "app.States"},
		"message without name":  {func(tx *holdfast.Tx, _ *State) error { tx.Emit("", 1); return nil }, "needs a name"},
		"message JSON can't do": {func(tx *holdfast.Tx, _ *State) error { tx.Emit("x", make(chan int)); return nil }, "chan int"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, newApp(t), c.fn, nil, "")
			var section *holdfast.SectionError
			require.ErrorAs(t, err, &section)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestErrorsAndPanicsAreToldApart(t *testing.T) {
	t.Parallel()
	mine := errors.New("mine")
	_, err := run(t, newApp(t), func(*holdfast.Tx, *State) error { return mine }, nil, "")
	require.ErrorIs(t, err, mine)

	_, err = run(t, newApp(t), func(_ *holdfast.Tx, s *State) error { s.Notes["x"] = 1; return nil }, nil, "")
	var panicked *holdfast.PanicError
	require.ErrorAs(t, err, &panicked)
	require.ErrorContains(t, err, "nil map")
	require.Contains(t, panicked.Stack, "run_test.go")
}

func TestATxHasNoEffectAfterItsSection(t *testing.T) {
	t.Parallel()
	var kept *holdfast.Tx
	out, err := run(t, newApp(t), func(tx *holdfast.Tx, _ *State) error { kept = tx; return nil }, nil, "")
	require.NoError(t, err)
	kept.Start(Count)
	kept.Emit("toast", 1)
	require.NotNil(t, holdfast.Get[State](kept))
	require.False(t, out.Changes())
}

func TestBadArgumentsNameTheValueAndWhatWasExpected(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for input, want := range map[string]string{
		`"ten"`: `Add takes a JSON number (int), got "ten"`,
		`1.5`:   `got 1.5`,
		`null`:  `got null`,
		``:      `got nothing`,
		`1 2`:   `more than one JSON value`,
		`{`:     `got {`,
	} {
		_, err := run(t, app, Add, nil, input)
		require.ErrorIs(t, err, holdfast.ErrBadArgument, "input %q", input)
		require.ErrorContains(t, err, want)
	}
	_, err := run(t, app, Increment, nil, "1")
	require.ErrorIs(t, err, holdfast.ErrBadArgument)
	require.ErrorContains(t, err, "takes no argument")
	_, err = run(t, app, Increment, nil, "null")
	require.NoError(t, err)
}
