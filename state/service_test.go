package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

const session = holdfast.SessionID("test-abc")

// State is what the sections of these tests work on.
type State struct {
	Counter int `json:"counter"`
	Secret  int `json:"_secret"`
}

// Other is a second state of the same session.
type Other struct {
	Text string `json:"text"`
}

func increment(_ *holdfast.Tx, s *State) (int, error)  { s.Counter++; return s.Counter, nil }
func add(_ *holdfast.Tx, s *State, n int) (int, error) { s.Counter += n; return s.Counter, nil }
func setSecret(_ *holdfast.Tx, s *State, n int) error  { s.Secret = n; return nil }
func task(workflow.Context) error                      { return nil }
func taskWith(workflow.Context, string) error          { return nil }
func startTwo(tx *holdfast.Tx, _ *State) error         { tx.Start(task); tx.Start(taskWith, "x"); return nil }

func say(tx *holdfast.Tx, s *State, text string) error {
	s.Counter++
	tx.Emit("toast", text)
	return nil
}

// bench is a service in memory with one app.
type bench struct {
	*state.Service
	t   *testing.T
	app *holdfast.App
}

func newBench(t *testing.T, o state.Options) *bench {
	t.Helper()
	b := benchOf(t, state.Open(memory.New(), o))
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func benchOf(t *testing.T, service *state.Service) *bench {
	t.Helper()
	app := holdfast.NewApp("test", State{})
	app.States(Other{})
	app.Sections(increment, add, setSecret, startTwo, say)
	app.Tasks(task, taskWith)
	require.NoError(t, app.Check())
	return &bench{Service: service, t: t, app: app}
}

// call makes a call of a registered section; position "" makes it one without a key.
func (b *bench) call(fn any, position, input string) state.Call {
	b.t.Helper()
	handler, err := b.app.Section(fn)
	require.NoError(b.t, err)
	c := state.Call{Handler: handler, Session: session, Input: json.RawMessage(input)}
	if position != "" {
		c.Key = state.Key{Owner: "owner", Position: position, Fingerprint: state.Fingerprint(handler.Name(), c.Input)}
	}
	return c
}

func (b *bench) apply(fn any, position, input string) state.Applied {
	b.t.Helper()
	applied, err := b.Apply(b.t.Context(), b.call(fn, position, input))
	require.NoError(b.t, err)
	return applied
}

func (b *bench) do(fn any) error { return b.Do(b.t.Context(), b.app, session, fn) }

func (b *bench) snapshot() *state.Snapshot {
	b.t.Helper()
	snapshot, err := b.Snapshot(b.t.Context(), b.app, session)
	require.NoError(b.t, err)
	return snapshot
}

func TestASectionSeesTheLatestState(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	require.JSONEq(t, "1", string(b.apply(increment, "1", "").Result))
	require.JSONEq(t, "3", string(b.apply(add, "2", "2").Result))
	require.JSONEq(t, `{"counter":3}`, string(b.snapshot().States["State"]))
}

func TestARepeatIsAnsweredFromTheLedger(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	first := b.apply(add, "1", "2")
	again := b.apply(add, "1", "2")
	require.False(t, first.Repeat)
	require.True(t, again.Repeat)
	require.Equal(t, first.Result, again.Result)
	require.JSONEq(t, `{"counter":2}`, string(b.snapshot().States["State"]))
}

func TestAnotherSectionOrInputInTheSamePlaceIsNoRepeat(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(add, "1", "2")
	require.False(t, b.apply(add, "1", "3").Repeat)
	require.False(t, b.apply(increment, "1", "").Repeat)
	require.JSONEq(t, `{"counter":6}`, string(b.snapshot().States["State"]))
}

func TestACallWithoutAKeyIsAppliedEachTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(increment, "", "")
	b.apply(increment, "", "")
	require.JSONEq(t, `{"counter":2}`, string(b.snapshot().States["State"]))
}

// nothing checks that a failed section left no trace: not in the state, the ledger, the outbox or the log.
func (b *bench) nothing(err, want error) {
	b.t.Helper()
	require.ErrorIs(b.t, err, want)
	snapshot := b.snapshot()
	require.Zero(b.t, snapshot.Position)
	require.JSONEq(b.t, `{"counter":0}`, string(snapshot.States["State"]))
	require.Empty(b.t, snapshot.Tasks)
	outbox, err := b.Outbox(b.t.Context(), 10)
	require.NoError(b.t, err)
	require.Empty(b.t, outbox)
	require.NoError(b.t, b.do(func(_ *holdfast.Tx, s *State) error { s.Counter++; return nil }), "the session is free")
}

var errMine = errors.New("mine")

func TestAnErrorCommitsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.nothing(b.do(func(tx *holdfast.Tx, s *State) error {
		s.Counter = 7
		tx.Start(task)
		tx.Emit("toast", "x")
		return errMine
	}), errMine)
}

func TestAPanicCommitsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	err := b.do(func(tx *holdfast.Tx, s *State) error {
		s.Counter = 7
		tx.Start(task)
		panic(errMine)
	})
	var panicked *holdfast.PanicError
	require.ErrorAs(t, err, &panicked)
	b.nothing(err, errMine)
}

func TestGoexitCommitsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	err := b.do(func(_ *holdfast.Tx, s *State) error {
		s.Counter = 7
		runtime.Goexit()
		return nil
	})
	var section *holdfast.SectionError
	require.ErrorAs(t, err, &section)
	b.nothing(err, section.Err)
}

func TestAnOverrunCommitsNothing(t *testing.T) {
	t.Parallel()
	for name, fn := range map[string]func(context.Context){
		"that heeds its context": func(ctx context.Context) { <-ctx.Done() },
		"that does not":          func(context.Context) { <-time.After(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, state.Options{})
				began := time.Now()
				err := b.do(func(tx *holdfast.Tx, s *State) error {
					s.Counter = 7
					fn(tx.Context())
					return nil
				})
				require.Equal(t, 5*time.Second, time.Since(began), "the caller waits no longer than the deadline")
				require.ErrorIs(t, err, holdfast.ErrLockExpired)
				b.nothing(err, holdfast.ErrOverrun)
				time.Sleep(2 * time.Minute) // what returns late changes nothing
				require.JSONEq(t, `{"counter":1}`, string(b.snapshot().States["State"]))
			})
		})
	}
}

func TestALongSectionKeepsItsLock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, state.Options{Deadline: time.Minute, Lease: time.Second})
		done := make(chan error)
		go func() {
			done <- b.do(func(_ *holdfast.Tx, s *State) error { time.Sleep(30 * time.Second); s.Counter++; return nil })
		}()
		synctest.Wait()
		require.NoError(t, b.do(func(_ *holdfast.Tx, s *State) error { s.Counter *= 10; return nil }))
		require.NoError(t, <-done)
		require.JSONEq(t, `{"counter":10}`, string(b.snapshot().States["State"]), "one after the other")
	})
}

// losing is a driver whose holds are lost as soon as they are had.
type losing struct{ state.Driver }

func (l losing) Acquire(ctx context.Context, claim state.Claim) (state.Held, error) {
	held, err := l.Driver.Acquire(ctx, claim)
	if err == nil {
		held.Release()
	}
	return held, err
}

func TestALostLockCommitsNothing(t *testing.T) {
	t.Parallel()
	store := memory.New()
	service := state.Open(losing{store}, state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	b := newBench(t, state.Options{})
	_, err := service.Apply(t.Context(), b.call(increment, "1", ""))
	require.ErrorIs(t, err, holdfast.ErrLockExpired)
	require.NotErrorIs(t, err, holdfast.ErrOverrun)
	record, _, err := store.Load(t.Context(), session)
	require.NoError(t, err)
	require.Zero(t, record.Version)
}

func TestALockThatIsLostWhileTheSectionRunsEndsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service := state.Open(losing{memory.New()}, state.Options{})
		b := newBench(t, state.Options{})
		began := time.Now()
		err := service.Do(t.Context(), b.app, session, func(tx *holdfast.Tx, _ *State) error { <-tx.Context().Done(); return nil })
		require.ErrorIs(t, err, holdfast.ErrLockExpired)
		require.Less(t, time.Since(began), service.Deadline(), "it does not wait for the deadline")
		require.NoError(t, service.Close())
	})
}

func TestANestedSectionIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.nothing(b.do(func(tx *holdfast.Tx, s *State) error {
		s.Counter = 7
		return b.Do(tx.Context(), b.app, session, func(*holdfast.Tx, *State) error { return nil })
	}), holdfast.ErrNestedSection)
}

func TestASectionOfAnotherSessionMayBeNested(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	require.NoError(t, b.do(func(tx *holdfast.Tx, _ *State) error {
		return b.Do(tx.Context(), b.app, "test-other", func(_ *holdfast.Tx, s *State) error { s.Counter++; return nil })
	}))
}

func TestAViewCannotChangeAnything(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	b.apply(increment, "", "")
	seen := 0
	require.NoError(t, b.View(t.Context(), b.app, session, func(_ *holdfast.Tx, s *State) error { seen = s.Counter; return nil }))
	require.Equal(t, 1, seen)
	for _, fn := range []any{
		func(_ *holdfast.Tx, s *State) error { s.Counter++; return nil },
		func(tx *holdfast.Tx, _ *State) error { holdfast.Get[Other](tx).Text = "x"; return nil },
		func(tx *holdfast.Tx, _ *State) error { tx.Start(task); return nil },
		func(tx *holdfast.Tx, _ *State) error { tx.Emit("toast", 1); return nil },
	} {
		require.ErrorIs(t, b.View(t.Context(), b.app, session, fn), holdfast.ErrImmutableState)
	}
	require.JSONEq(t, `{"counter":1}`, string(b.snapshot().States["State"]))
}

func TestWrongCallsAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	call := b.call(add, "1", `"two"`)
	_, err := b.Apply(t.Context(), call)
	require.ErrorIs(t, err, holdfast.ErrBadArgument)

	call = b.call(increment, "1", "")
	call.Session = "elsewhere-abc"
	_, err = b.Apply(t.Context(), call)
	require.ErrorContains(t, err, `session "elsewhere-abc" is not one of app test`)

	_, err = b.Apply(t.Context(), state.Call{Session: session})
	require.ErrorContains(t, err, "no handler")
}

func TestACallerThatGivesUpCommitsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	err := b.Do(ctx, b.app, session, func(_ *holdfast.Tx, s *State) error { s.Counter = 7; cancel(); return nil })
	b.nothing(err, context.Canceled)
}
