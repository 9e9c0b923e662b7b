package activities_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/activities"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

const session = holdfast.SessionID("test-abc")

// State is what the sections of these tests work on.
type State struct {
	Counter int `json:"counter"`
}

func add(_ *holdfast.Tx, s *State, n int) (int, error) { s.Counter += n; return s.Counter, nil }
func refuse(*holdfast.Tx, *State) error                { return errors.New("no more seats") }
func typed(*holdfast.Tx, *State) error {
	return temporal.NewApplicationError("card declined", "Declined")
}
func crash(*holdfast.Tx, *State) error { panic("out of cheese") }
func nested(tx *holdfast.Tx, _ *State) error {
	inner, _ := tx.Context().Value(nest{}).(func(context.Context) error)
	return inner(tx.Context())
}

// nest is the context key under which a test hands the section nested what to do.
type nest struct{}

type bench struct {
	*testsuite.TestActivityEnvironment
	t       *testing.T
	app     *holdfast.App
	service *state.Service
}

func newBench(t *testing.T, more ...any) *bench {
	t.Helper()
	app := holdfast.NewApp("test", State{})
	app.Sections(append([]any{add, refuse, typed, crash, nested}, more...)...)
	b := &bench{t: t, app: app, service: state.Open(memory.New(), state.Options{})}
	t.Cleanup(func() { require.NoError(t, b.service.Close()) })
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	b.TestActivityEnvironment = suite.NewTestActivityEnvironment()
	acts := activities.New(b.service)
	acts.RegisterLifecycle(b)
	require.NoError(t, acts.Register(b, app))
	return b
}

func (b *bench) section(name, position, input string) (converter.EncodedValue, error) {
	return b.ExecuteActivity("test."+name, wire.SectionInput{
		Session: string(session), Chain: "run", Position: position, Input: json.RawMessage(input),
	})
}

func (b *bench) counter() int {
	b.t.Helper()
	var counter int
	require.NoError(b.t, b.service.View(b.t.Context(), b.app, session, func(_ *holdfast.Tx, s *State) error {
		counter = s.Counter
		return nil
	}))
	return counter
}

func TestASectionIsAppliedOncePerPosition(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 2 { // the second is what a retry after a lost answer looks like
		value, err := b.section("add", "1", "3")
		require.NoError(t, err)
		var total int
		require.NoError(t, value.Get(&total))
		require.Equal(t, 3, total)
	}
	require.Equal(t, 3, b.counter())
	_, err := b.section("add", "2", "3")
	require.NoError(t, err)
	require.Equal(t, 6, b.counter())
}

func TestOneKeyIsForOneCall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.section("add", "1", "3")
	require.NoError(t, err)
	_, err = b.section("add", "1", "4")
	require.NoError(t, err, "a re-run that took another way is another call")
	require.Equal(t, 7, b.counter())
}

func TestWhatWouldOnlyRepeatIsNotRetried(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ section, input, kind, message string }{
		"an error":        {"refuse", "", wire.ErrorSection, "refuse: no more seats"},
		"a typed error":   {"typed", "", "Declined", "card declined"},
		"a panic":         {"crash", "", wire.ErrorPanic, "out of cheese"},
		"a wrong input":   {"add", `"three"`, wire.ErrorBadArgument, `add takes a JSON number (int), got "three"`},
		"a missing input": {"add", "", wire.ErrorBadArgument, "add takes"},
		"an extra input":  {"refuse", "1", wire.ErrorBadArgument, "refuse takes no"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			_, err := b.section(c.section, "1", c.input)
			var failure *temporal.ApplicationError
			require.ErrorAs(t, err, &failure)
			require.Equal(t, c.kind, failure.Type())
			require.True(t, failure.NonRetryable())
			require.ErrorContains(t, failure, c.message)
			if c.kind == wire.ErrorPanic {
				var stack string
				require.NoError(t, failure.Details(&stack))
				require.Contains(t, stack, "activities_test.crash")
			}
			require.Zero(t, b.counter())
		})
	}
}

func TestANestedSectionIsNotRetried(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.SetWorkerOptions(worker.Options{BackgroundActivityContext: context.WithValue(t.Context(), nest{}, func(ctx context.Context) error {
		return b.service.Do(ctx, b.app, session, func(*holdfast.Tx, *State) error { return nil })
	})})
	_, err := b.section("nested", "1", "")
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.Equal(t, wire.ErrorNested, failure.Type())
	require.True(t, failure.NonRetryable())
}

func TestAFaultOfTheStoreIsRetried(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	broken := state.Open(memory.New(), state.Options{})
	require.NoError(t, broken.Close())
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	b.TestActivityEnvironment = suite.NewTestActivityEnvironment()
	require.NoError(t, activities.New(broken).Register(b, b.app))
	_, err := b.section("add", "1", "3")
	require.Error(t, err)
	var failure *temporal.ApplicationError
	require.ErrorAs(t, err, &failure)
	require.False(t, failure.NonRetryable())
}

func TestASectionThatTakesItsTimeBeats(t *testing.T) {
	t.Parallel()
	beats := make(chan struct{}, 1)
	slow := func(tx *holdfast.Tx, s *State) error {
		select {
		case <-beats:
			s.Counter = 1
			return nil
		case <-tx.Context().Done():
			return context.Cause(tx.Context())
		}
	}
	b := newBench(t, holdfast.Named("slow", slow))
	b.SetOnActivityHeartbeatListener(func(*activity.Info, converter.EncodedValues) {
		select {
		case beats <- struct{}{}:
		default:
		}
	})
	_, err := b.section("slow", "1", "")
	require.NoError(t, err)
	require.Equal(t, 1, b.counter())
}

func TestRegisterRefusesAnAppWithMistakes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	app := holdfast.NewApp("wrong", State{})
	app.Sections(func(int) {})
	require.EqualError(t, activities.New(b.service).Register(b, app), app.Check().Error())
}

func TestWhatASectionLogsNamesItsSessionAndItsTask(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := newBench(t)
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(&out, nil))))
	b.TestActivityEnvironment = suite.NewTestActivityEnvironment()
	require.NoError(t, activities.New(b.service).Register(b, b.app))
	for range 2 {
		_, err := b.section("add", "1", "3")
		require.NoError(t, err)
	}
	require.Contains(t, out.String(), "app=test session=test-abc task=default-test-workflow-id section=add position=1")
	require.Contains(t, out.String(), "RunID=")
}
