package holdfast_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
)

func work(context.Context) error          { return nil }
func loading(*holdfast.Tx, *State) error  { return nil }
func notKnown(*holdfast.Tx, *State) error { return nil }
func notATask(workflow.Context) error     { return nil }
func chooses(tx *holdfast.Tx, _ *State) error {
	tx.Start(Count)
	tx.Trigger(Add, 3)
	tx.Start(CountTo, 4)
	return nil
}

func TestTaskOptionsHaveDefaultsAndAreChecked(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("counter", State{})
	app.Tasks(Count, holdfast.With(CountTo, holdfast.TaskOptions{Concurrency: holdfast.Supersede, Grace: time.Minute, Inline: true}))
	require.NoError(t, app.Check())
	plain, err := app.Task(Count)
	require.NoError(t, err)
	require.Equal(t, holdfast.TaskOptions{Grace: 10 * time.Second}, plain.Options())
	with, err := app.Task(CountTo)
	require.NoError(t, err)
	require.Equal(t, holdfast.TaskOptions{Concurrency: holdfast.Supersede, Grace: time.Minute, Inline: true}, with.Options())

	for sentence, o := range map[string]holdfast.TaskOptions{
		"task Count: Grace is 1ms; expected at least 1s":                                          {Grace: time.Millisecond},
		`task Count: Concurrency is "both"; expected AnyNumber, SkipIfRunning or Supersede`:       {Concurrency: "both"},
		`task Count: OnDisconnect is "weep"; expected CancelOnDisconnect or ContinueOnDisconnect`: {OnDisconnect: "weep"},
	} {
		app := holdfast.NewApp("counter", State{})
		app.Tasks(holdfast.With(Count, o))
		require.ErrorContains(t, app.Check(), sentence)
	}
}

func TestRequestsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("counter", State{})
	app.Events(Add)
	app.Sections(chooses)
	app.Tasks(Count, CountTo)
	require.NoError(t, app.Check())
	section, err := app.Section(chooses)
	require.NoError(t, err)
	outcome, err := section.Run(t.Context(), "counter-abc", nil, nil)
	require.NoError(t, err)
	require.Len(t, outcome.Requests, 3)
	require.Equal(t, "Count", outcome.Requests[0].Task.Name())
	require.Equal(t, "Add", outcome.Requests[1].Event.Name())
	require.JSONEq(t, "3", string(outcome.Requests[1].Argument))
	require.Equal(t, "CountTo", outcome.Requests[2].Task.Name())
	require.JSONEq(t, "4", string(outcome.Requests[2].Argument))
}

func TestAFunctionOfAnotherKindIsRefusedWithHowToUseIt(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for _, c := range []struct {
		try  func() error
		says []string
	}{
		{func() error { _, err := app.Section(Count); return err }, []string{"Count", "tx.Start"}},
		{func() error { _, err := app.Section(Increment); return err }, []string{"Increment", "tx.Trigger"}},
		{func() error { _, err := app.StartRequest(Increment); return err }, []string{"Increment", "tx.Trigger"}},
		{func() error { _, err := app.TriggerRequest(Count); return err }, []string{"Count", "tx.Start"}},
		{func() error { _, err := app.StartRequest(notATask); return err }, []string{"notATask", "app.Tasks"}},
		{func() error { _, err := app.TriggerRequest(notKnown); return err }, []string{"notKnown", "app.Events"}},
	} {
		err := c.try()
		require.ErrorIs(t, err, holdfast.ErrUnknown)
		for _, says := range c.says {
			require.ErrorContains(t, err, says)
		}
	}
	_, err := app.StartRequest(CountTo, "five")
	require.ErrorIs(t, err, holdfast.ErrBadArgument)
	_, err = app.TriggerRequest(Add)
	require.ErrorIs(t, err, holdfast.ErrBadArgument)
}

func TestLoadEventsAndActivitiesAreRegistered(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("counter", State{})
	app.OnLoad(loading)
	app.Activities(work)
	require.NoError(t, app.Check())
	require.Equal(t, "loading", app.LoadEvents()[0].Name())
	name, err := app.Activity(work)
	require.NoError(t, err)
	require.Equal(t, "counter.work", name)
	_, err = app.Event("loading")
	require.ErrorIs(t, err, holdfast.ErrUnknown, "a page cannot send it")
}
