package workflows_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/worker"
	"github.com/holdfast-run/holdfast/workflows"
)

const session = holdfast.SessionID("test-abc")

// State is what the tasks of these tests work on.
type State struct {
	Counter int      `json:"counter"`
	Log     []string `json:"log"`
	Fail    bool     `json:"fail"`
}

func note(_ *holdfast.Tx, s *State, line string) error { s.Log = append(s.Log, line); return nil }
func add(_ *holdfast.Tx, s *State, n int) (int, error) { s.Counter += n; return s.Counter, nil }
func upTo3(_ *holdfast.Tx, s *State) (bool, error)     { s.Counter++; return s.Counter < 3, nil }
func upTo9(_ *holdfast.Tx, s *State) (bool, error)     { s.Counter++; return s.Counter < 9, nil }
func forever(_ *holdfast.Tx, s *State) (bool, error)   { s.Counter++; return true, nil }
func ended(_ *holdfast.Tx, s *State) error             { s.Log = append(s.Log, "ended"); return nil }

func endedFirst(_ *holdfast.Tx, s *State) error { s.Log = append(s.Log, "first"); return nil }
func refuse(*holdfast.Tx, *State) error         { return errors.New("no more seats") }
func crash(*holdfast.Tx, *State) error          { panic("out of cheese") }
func stranger(*holdfast.Tx, *State) error       { return nil }

// bench is a session of an app in Temporal's test environment, with real activities and a state service in memory.
type bench struct {
	*testsuite.TestWorkflowEnvironment
	t       *testing.T
	app     *holdfast.App
	service *state.Service
	level   int               // of the program that starts the tasks
	started func(name string) // is told of each activity; may be nil
	eachRun func()            // called before each run of a chain; may be nil
	log     slog.Handler      // nil: nobody reads it
}

func newBench(t *testing.T, tasks ...any) *bench {
	t.Helper()
	return newBenchOver(t, memory.New(), tasks...)
}

func newBenchOver(t *testing.T, driver state.Driver, tasks ...any) *bench {
	t.Helper()
	app := holdfast.NewApp("test", State{})
	app.Sections(note, add, addTwo, upTo3, upTo9, forever, ended, endedFirst, refuse, crash)
	app.Tasks(tasks...)
	b := &bench{t: t, app: app, service: state.Open(driver, state.Options{})}
	t.Cleanup(func() { require.NoError(t, b.service.Close()) })
	b.again()
	return b
}

// again makes a fresh environment over the same state, as for the next run of a chain.
func (b *bench) again() {
	var suite testsuite.WorkflowTestSuite
	if b.log == nil {
		b.log = slog.DiscardHandler
	}
	suite.SetLogger(sdklog.NewStructuredLogger(slog.New(b.log)))
	b.TestWorkflowEnvironment = suite.NewTestWorkflowEnvironment()
	var options sdkworker.Options
	worker.Prepare(&options)
	b.SetWorkerOptions(options)
	require.NoError(b.t, worker.Register(b.TestWorkflowEnvironment, b.service, b.app))
}

// run runs a task by its name and returns its error.
func (b *bench) run(task string, in wire.TaskInput) error {
	in.Session = string(session)
	if b.started != nil {
		b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, _ encodedValues) { b.started(info.ActivityType.Name) })
	}
	b.ExecuteWorkflow("test."+task, in)
	require.True(b.t, b.IsWorkflowCompleted())
	return b.GetWorkflowError()
}

func (b *bench) state() (s State) {
	err := b.service.View(b.t.Context(), b.app, session, func(_ *holdfast.Tx, now *State) error { s = *now; return nil })
	require.NoError(b.t, err)
	return s
}

func TestLockedRunsSectionsWithInputAndResult(t *testing.T) {
	t.Parallel()
	var total int
	sum := func(ctx workflow.Context) error {
		if err := workflows.DoWith(ctx, note, "begin"); err != nil {
			return err
		}
		if _, err := workflows.LockedWith(ctx, add, 2); err != nil {
			return err
		}
		var err error
		total, err = workflows.LockedWith(ctx, add, 2) // the same section and input again is another call
		return err
	}
	b := newBench(t, holdfast.Named("Sum", sum))
	require.NoError(t, b.run("Sum", wire.TaskInput{}))
	require.Equal(t, 4, total)
	require.Equal(t, State{Counter: 4, Log: []string{"begin"}}, b.state())
}

func TestATaskTakesAnArgumentAndGivesAResult(t *testing.T) {
	t.Parallel()
	greet := func(_ workflow.Context, name string) (string, error) { return "hello " + name, nil }
	b := newBench(t, holdfast.Named("Greet", greet))
	require.NoError(t, b.run("Greet", wire.TaskInput{Argument: []byte(`"you"`)}))
	var result string
	require.NoError(t, b.GetWorkflowResult(&result))
	require.Equal(t, "hello you", result)

	b.again()
	require.ErrorContains(t, b.run("Greet", wire.TaskInput{Argument: []byte(`7`)}), "takes a JSON string")
}

func TestEveryKeepsTheBeat(t *testing.T) {
	t.Parallel()
	var began, finished time.Time
	loop := func(ctx workflow.Context) error {
		began = workflow.Now(ctx)
		err := workflows.Every(ctx, 10*time.Second, upTo3)
		finished = workflow.Now(ctx)
		return err
	}
	b := newBench(t, holdfast.Named("Loop", loop))
	require.NoError(t, b.run("Loop", wire.TaskInput{}))
	require.Equal(t, 3, b.state().Counter)
	require.Equal(t, 20*time.Second, finished.Sub(began).Round(time.Second), "a pause between iterations, none before or after")
}

func TestSleepIsATimer(t *testing.T) {
	t.Parallel()
	var slept time.Duration
	nap := func(ctx workflow.Context) error {
		began := workflow.Now(ctx)
		err := workflows.Sleep(ctx, time.Hour)
		slept = workflow.Now(ctx).Sub(began)
		return err
	}
	b := newBench(t, holdfast.Named("Nap", nap))
	require.NoError(t, b.run("Nap", wire.TaskInput{}))
	require.Equal(t, time.Hour, slept)
}

func TestFinallyRunsOnCompletionFailureAndCancellation(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context, how string) error {
		workflows.Finally(ctx, endedFirst)
		workflows.Finally(ctx, ended)
		switch how {
		case "fail":
			return workflows.Do(ctx, refuse)
		case "panic":
			panic("lost")
		case "cancel":
			return workflows.Every(ctx, time.Second, forever)
		}
		return nil
	}
	for how, want := range map[string]string{"complete": "", "fail": "no more seats", "panic": "lost", "cancel": "canceled"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, holdfast.Named("Task", task))
			b.RegisterDelayedCallback(b.CancelWorkflow, 10*time.Second)
			err := b.run("Task", wire.TaskInput{Argument: fmt.Appendf(nil, "%q", how)})
			if want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, want)
			}
			require.Equal(t, []string{"ended", "first"}, b.state().Log, "last registered first, each once")
		})
	}
}

func TestASectionsErrorEndsTheTaskAtOnce(t *testing.T) {
	t.Parallel()
	type failure struct{ kind, message string }
	for section, want := range map[string]failure{
		"refuse": {wire.ErrorSection, "test.refuse: no more seats"},
		"crash":  {wire.ErrorPanic, "test.crash panicked: out of cheese"},
	} {
		task := func(ctx workflow.Context) error {
			if section == "refuse" {
				return workflows.Do(ctx, refuse)
			}
			return workflows.Do(ctx, crash)
		}
		b := newBench(t, holdfast.Named("Task", task))
		attempts := 0
		b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, _ encodedValues) {
			if info.ActivityType.Name == "test."+section {
				attempts++
			}
		})
		err := b.run("Task", wire.TaskInput{})
		var app *temporal.ApplicationError
		require.ErrorAs(t, err, &app)
		require.Equal(t, want.kind, app.Type())
		require.Equal(t, want.message, app.Message())
		if want.kind == wire.ErrorPanic {
			var stack string
			require.NoError(t, app.Details(&stack))
			require.Contains(t, stack, "task_test.go")
		}
		require.Equal(t, 1, attempts, "what would only repeat is not retried")
	}
}

func TestAFailedTaskIsToldToThePage(t *testing.T) {
	t.Parallel()
	fail := func(ctx workflow.Context) error { return workflows.Do(ctx, refuse) }
	b := newBench(t, holdfast.Named("Fail", fail))
	ended := make(chan wire.TaskEndedInput, 1)
	b.SetOnActivityStartedListener(func(info *activityInfo, _ context.Context, args encodedValues) {
		if info.ActivityType.Name == wire.TaskEnded {
			var in wire.TaskEndedInput
			require.NoError(t, args.Get(&in))
			ended <- in
		}
	})
	require.Error(t, b.run("Fail", wire.TaskInput{}))
	require.Contains(t, (<-ended).Failure, "no more seats")
}

func TestFaultsOfTheMachineryAreRetriedUntilTheyPass(t *testing.T) {
	t.Parallel()
	task := func(ctx workflow.Context) error { return workflows.DoWith(ctx, note, "done") }
	b := newBench(t, holdfast.Named("Task", task))
	var mu sync.Mutex
	calls := 0
	b.OnActivity("test.note", mockAny, mockAny).Return(func(context.Context, wire.SectionInput) (json.RawMessage, error) {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls < 9 { // the test environment gives up after ten
			return nil, errors.New("the store is away")
		}
		return nil, nil
	})
	require.NoError(t, b.run("Task", wire.TaskInput{}))
	require.Equal(t, 9, calls)
}

func TestMisuseSaysWhatToDo(t *testing.T) {
	t.Parallel()
	unregistered := func(ctx workflow.Context) error { return workflows.Do(ctx, stranger) }
	b := newBench(t, holdfast.Named("Task", unregistered))
	require.ErrorContains(t, b.run("Task", wire.TaskInput{}), "add it with app.Sections")

	negative := func(ctx workflow.Context) error { return workflows.Every(ctx, -time.Second, upTo3) }
	b = newBench(t, holdfast.Named("Task", negative))
	require.ErrorContains(t, b.run("Task", wire.TaskInput{}), "the interval is -1s")

	b = newBench(t)
	b.ExecuteWorkflow(func(ctx workflow.Context) error { return workflows.Do(ctx, ended) })
	require.ErrorContains(t, b.GetWorkflowError(), "outside of a task")
}
