package holdfast_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
)

type State struct {
	Counter int            `json:"counter"`
	Notes   map[string]any `json:"notes,omitempty"`
	Hidden  int            `json:"_hidden"`
}

type Other struct {
	Text string `json:"text"`
}

func Increment(_ *holdfast.Tx, s *State) error        { s.Counter++; return nil }
func Add(_ *holdfast.Tx, s *State, n int) error       { s.Counter += n; return nil }
func read(_ *holdfast.Tx, s *State) (int, error)      { return s.Counter, nil }
func onOther(_ *holdfast.Tx, s *Other) error          { s.Text += "x"; return nil }
func Count(workflow.Context) error                    { return nil }
func CountTo(workflow.Context, int) (string, error)   { return "", nil }
func noTx(*State) error                               { return nil }
func noError(*holdfast.Tx, *State)                    {}
func byValue(*holdfast.Tx, State) error               { return nil }
func variadic(*holdfast.Tx, *State, ...int) error     { return nil }
func threeArgs(*holdfast.Tx, *State, int, int) error  { return nil }
func chanInput(*holdfast.Tx, *State, chan int) error  { return nil }
func funcResult(*holdfast.Tx, *State) (func(), error) { return nil, nil }
func plainTask(int) error                             { return nil }
func chanTask(workflow.Context, chan int) error       { return nil }

func newApp(t *testing.T) *holdfast.App {
	t.Helper()
	app := holdfast.NewApp("counter", State{Counter: 1})
	app.States(Other{})
	app.Events(Increment, Add)
	app.Sections(Add, read, onOther)
	app.Tasks(Count, CountTo)
	require.NoError(t, app.Check())
	return app
}

func TestFunctionsAreFoundByValueAndName(t *testing.T) {
	t.Parallel()
	app := newApp(t)

	event, err := app.Event("Increment")
	require.NoError(t, err)
	require.Equal(t, "counter.Increment", event.Type())

	section, err := app.Section(read)
	require.NoError(t, err)
	require.Equal(t, "counter.read", section.Type())

	task, err := app.Task(CountTo)
	require.NoError(t, err)
	require.Equal(t, "counter.CountTo", task.Type())

	names := []string{}
	for s := range app.AllSections() {
		names = append(names, s.Name())
	}
	require.Equal(t, []string{"Add", "onOther", "read"}, names)
	require.Len(t, slices.Collect(app.AllTasks()), 2)
}

func TestUnknownNamesAreErrUnknown(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	_, err := app.Event("Nope")
	require.ErrorIs(t, err, holdfast.ErrUnknown)
	_, err = app.Section(Increment) // an event, not a section
	require.ErrorIs(t, err, holdfast.ErrUnknown)
	require.ErrorContains(t, err, "it is the event Increment, trigger it with tx.Trigger or workflows.Trigger")
	_, err = app.Task(plainTask)
	require.ErrorIs(t, err, holdfast.ErrUnknown)
	_, err = app.Task(nil)
	require.ErrorContains(t, err, "expected a function")
}

func TestNamedKeepsTheNameOfARenamedFunction(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("counter", State{})
	app.Tasks(holdfast.Named("OldName", Count))
	app.Sections(holdfast.Named("old", func(*holdfast.Tx, *State) error { return nil }))
	require.NoError(t, app.Check())
	task, err := app.Task(Count)
	require.NoError(t, err)
	require.Equal(t, "counter.OldName", task.Type())
}

func TestCheckSaysWhatIsWrongAndWhere(t *testing.T) {
	t.Parallel()
	type unexported struct{ hidden int } //nolint:unused // it is about the field
	type channel struct{ C chan int }
	type skipped struct {
		A int `json:"-"`
	}
	for name, c := range map[string]struct {
		register func(*holdfast.App)
		want     []string
	}{
		"event without Tx":         {func(a *holdfast.App) { a.Events(noTx) }, []string{"event noTx", "expected func(*holdfast.Tx"}},
		"event with a result":      {func(a *holdfast.App) { a.Events(read) }, []string{"event read", "only an error"}},
		"section without error":    {func(a *holdfast.App) { a.Sections(noError) }, []string{"section noError", "must return an error"}},
		"state by value":           {func(a *holdfast.App) { a.Sections(byValue) }, []string{"section byValue", "pointer to a struct"}},
		"variadic":                 {func(a *holdfast.App) { a.Sections(variadic) }, []string{"section variadic", "variadic"}},
		"too many arguments":       {func(a *holdfast.App) { a.Sections(threeArgs) }, []string{"section threeArgs"}},
		"input JSON cannot hold":   {func(a *holdfast.App) { a.Sections(chanInput) }, []string{"section chanInput", "its input", "chan int"}},
		"result JSON cannot hold":  {func(a *holdfast.App) { a.Sections(funcResult) }, []string{"section funcResult", "its result"}},
		"two sections of one name": {func(a *holdfast.App) { a.Sections(read, holdfast.Named("read", Add)) }, []string{"section read", "twice"}},
		"one section twice": {
			func(a *holdfast.App) { a.Sections(holdfast.Named("one", read), holdfast.Named("two", read)) },
			[]string{"section two", "already registered as one"},
		},
		"literal without a name":   {func(a *holdfast.App) { a.Sections(func(*holdfast.Tx, *State) error { return nil }) }, []string{"no lasting name", "holdfast.Named"}},
		"name that is none":        {func(a *holdfast.App) { a.Sections(holdfast.Named("a b", read)) }, []string{`"a b"`}},
		"not a function":           {func(a *holdfast.App) { a.Tasks(7) }, []string{"expected a function, got int"}},
		"nil function":             {func(a *holdfast.App) { a.Events((func(*holdfast.Tx, *State) error)(nil)) }, []string{"nil"}},
		"task without context":     {func(a *holdfast.App) { a.Tasks(plainTask) }, []string{"task plainTask", "workflow.Context"}},
		"task argument":            {func(a *holdfast.App) { a.Tasks(chanTask) }, []string{"task chanTask", "its argument"}},
		"state not registered":     {func(a *holdfast.App) { a.Sections(onOther) }, []string{"onOther", "app.States"}},
		"state twice":              {func(a *holdfast.App) { a.States(State{}) }, []string{"state State is registered twice"}},
		"state pointer":            {func(a *holdfast.App) { a.States(&Other{}) }, []string{"expected a struct value"}},
		"state with a channel":     {func(a *holdfast.App) { a.States(channel{}) }, []string{"channel.C", "chan int"}},
		"state that loses a field": {func(a *holdfast.App) { a.States(unexported{}) }, []string{"unexported.hidden", "lose"}},
		"state that skips a field": {func(a *holdfast.App) { a.States(skipped{}) }, []string{"skipped.A", "lost"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := holdfast.NewApp("counter", State{})
			c.register(app)
			err := app.Check()
			require.Error(t, err)
			for _, part := range append(c.want, "app counter") {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestTheAppsNameIsChecked(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Counter", "a-b", "1a", "a/b"} {
		require.ErrorContains(t, holdfast.NewApp(name, State{}).Check(), "lower-case", "name %q", name)
	}
}
