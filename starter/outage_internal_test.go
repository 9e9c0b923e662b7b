package starter

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// cut is a Temporal client whose calls, while it is cut off, wait for the SDK's time limit and fail.
type cut struct {
	client.Client
	mu      sync.Mutex // protects all that follows
	off     bool
	refuses string // the task that the server does not start, by a part of its id
	says    error  // to the start of it; nil: that it has too much to do
	asked   int    // for starts
	started []string
	beats   []wire.Heartbeat
	hearings
}

func (c *cut) call(ctx context.Context) error {
	c.mu.Lock()
	off := c.off
	c.mu.Unlock()
	if !off {
		return nil
	}
	const limit = 10 * time.Second
	select {
	case <-time.After(limit):
	case <-ctx.Done():
	}
	return serviceerror.NewUnavailable("cut off")
}

func (c *cut) cutOff(off bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
}

func (c *cut) ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	c.mu.Lock()
	c.asked++
	c.mu.Unlock()
	if err := c.call(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuses != "" && strings.Contains(o.ID, c.refuses) {
		return nil, cmp.Or(c.says, error(serviceerror.NewResourceExhausted(0, "too much")))
	}
	c.started = append(c.started, o.ID)
	return nil, nil //nolint:nilnil // the run is not used
}

func (c *cut) SignalWorkflow(ctx context.Context, id, _, _ string, arg any) error {
	if err := c.call(ctx); err != nil {
		return err
	}
	beat, _ := arg.(wire.Heartbeat)
	if err := c.hear(id, beat); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beats = append(c.beats, beat)
	return nil
}

func (c *cut) DescribeWorkflowExecution(ctx context.Context, _, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{}, c.call(ctx)
}

// said are the heartbeats so far, and no more of them.
func (c *cut) said() []wire.Heartbeat {
	c.mu.Lock()
	defer c.mu.Unlock()
	said := c.beats
	c.beats = nil
	return said
}

// calls is how many starts were asked for.
func (c *cut) calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *cut) ran() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started
}

// counted is the state of the app of these tests.
type counted struct {
	Counter int `json:"counter"`
}

func begin(tx *holdfast.Tx, _ *counted) error { tx.Start(work1); return nil }
func ring(tx *holdfast.Tx, _ *counted) error  { tx.Trigger(add); return nil }
func add(_ *holdfast.Tx, s *counted) error    { s.Counter++; return nil }

func work1(workflow.Context) error { return nil }

func appNamed(name string) *holdfast.App {
	app := holdfast.NewApp(name, counted{})
	app.Events(holdfast.Named("Begin", begin), holdfast.Named("Ring", ring), holdfast.Named("Add", add))
	app.Tasks(holdfast.Named("Work", work1))
	return app
}

// site is a state in memory with starters on it, within a bubble of time.
type site struct {
	t     *testing.T
	store *memory.Driver
	state *state.Service
}

func inBubble(t *testing.T, test func(*site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		service := state.Open(store, state.Options{Logger: slog.New(slog.DiscardHandler)})
		defer func() { require.NoError(t, service.Close()) }()
		test(&site{t: t, store: store, state: service})
	})
}

// starter starts one; the caller stops it.
func (s *site) starter(temporal *cut, more ...func(*Options)) *Starter {
	s.t.Helper()
	return s.starterOn(temporal, more...)
}

// starterOn is starter with any client of Temporal.
func (s *site) starterOn(temporal client.Client, more ...func(*Options)) *Starter {
	s.t.Helper()
	options := Options{
		State: s.state, Temporal: temporal, Apps: []*holdfast.App{appNamed("here")},
		SessionKey: []byte(strings.Repeat("k", 32)), Logger: slog.New(slog.DiscardHandler),
	}
	for _, change := range more {
		change(&options)
	}
	one, err := New(options)
	require.NoError(s.t, err)
	one.Start()
	return one
}

// arrive is a page of the session that comes; the returned function has it leave.
func (s *Starter) arrive(session holdfast.SessionID) (leave func()) {
	return s.presence.arrive(session, func(error) {})
}

func (s *site) close(starters ...*Starter) {
	s.t.Helper()
	for _, one := range starters {
		require.NoError(s.t, one.Close(context.Background()))
	}
}

// send applies an event to a session.
func (s *site) send(app *holdfast.App, session holdfast.SessionID, event string) {
	s.t.Helper()
	handler, err := app.Event(event)
	require.NoError(s.t, err)
	_, err = s.state.Apply(s.t.Context(), state.Call{Handler: handler, Session: session})
	require.NoError(s.t, err)
}

func (s *site) present(session holdfast.SessionID) []string {
	s.t.Helper()
	starters, err := s.state.Presence(s.t.Context(), session)
	require.NoError(s.t, err)
	return starters
}

// pause lets time pass and everything settle.
func pause(d time.Duration) {
	<-time.After(d) // the time of a bubble
	synctest.Wait()
}

func sessions(n int) (all []holdfast.SessionID) {
	for i := range n {
		all = append(all, holdfast.SessionID("here-"+strings.Repeat("a", i+1)))
	}
	return all
}

// TestAStarterWithoutTemporalLives: another one does not say that its pages have gone.
func TestAStarterWithoutTemporalLives(t *testing.T) {
	inBubble(t, func(s *site) {
		well, poor := &cut{}, &cut{}
		here, there := s.starter(poor), s.starter(well)
		defer s.close(here, there)
		for _, session := range sessions(40) {
			s.send(appNamed("here"), session, "Begin")
			here.arrive(session)
		}
		pause(time.Second)
		poor.cutOff(true)
		pause(10 * time.Minute)
		for _, beat := range well.said() {
			require.True(t, beat.Connected, "a page that is there was said to be gone")
		}
		for _, session := range sessions(40) {
			require.Equal(t, []string{here.presence.id}, s.present(session))
		}
	})
}

// TestTasksHearOfTheirPagesSoonAfterAnOutage, however long it was.
func TestTasksHearOfTheirPagesSoonAfterAnOutage(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		one := s.starter(temporal)
		defer s.close(one)
		const pages = 40
		for _, session := range sessions(pages) {
			s.send(appNamed("here"), session, "Begin")
			one.arrive(session)
		}
		pause(time.Second)
		temporal.cutOff(true)
		pause(10 * time.Minute)
		temporal.said()
		temporal.cutOff(false)
		pause(presenceBeat + 10*time.Second + time.Second) // the calls that are under way fail first
		beats := temporal.said()
		require.Len(t, beats, pages)
		for _, beat := range beats {
			require.True(t, beat.Connected)
		}
	})
}

// TestAPageThatLeftDuringAnOutageIsNotPresent: neither during it nor after.
func TestAPageThatLeftDuringAnOutageIsNotPresent(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{}
		one := s.starter(temporal)
		defer s.close(one)
		s.send(appNamed("here"), "here-a", "Begin")
		pause(time.Second)
		temporal.cutOff(true)
		leave := one.arrive("here-a")
		pause(5 * time.Second)
		require.Len(t, s.present("here-a"), 1)
		leave()
		pause(20 * time.Second)
		require.Empty(t, s.present("here-a"))
		temporal.cutOff(false)
		pause(20 * time.Second)
		require.Empty(t, s.present("here-a"))
	})
}

// TestEventsDoNotWaitForTemporal: one that a section triggers is done although nothing can be started.
func TestEventsDoNotWaitForTemporal(t *testing.T) {
	inBubble(t, func(s *site) {
		one := s.starter(&cut{off: true})
		defer s.close(one)
		app := appNamed("here")
		for _, session := range sessions(100) {
			s.send(app, session, "Begin")
		}
		pause(time.Millisecond)
		s.send(app, "here-a", "Ring") // behind a start of its own session
		synctest.Wait()
		snapshot, err := s.state.Snapshot(t.Context(), app, "here-a")
		require.NoError(t, err)
		require.JSONEq(t, `{"counter":1}`, string(snapshot.States["counted"]))
	})
}

// TestWhatIsAnotherStartersKeepsNothingWaiting: more rows than are read at a time are of an app that nobody serves.
func TestWhatIsAnotherStartersKeepsNothingWaiting(t *testing.T) {
	inBubble(t, func(s *site) {
		there := appNamed("there")
		for range relayBatch + 1 {
			s.send(there, "there-a", "Ring")
		}
		s.send(appNamed("here"), "here-a", "Begin")
		s.send(appNamed("here"), "here-a", "Ring")
		temporal := &cut{}
		one := s.starter(temporal)
		defer s.close(one)
		synctest.Wait()
		require.Len(t, temporal.ran(), 1)
		snapshot, err := s.state.Snapshot(t.Context(), appNamed("here"), "here-a")
		require.NoError(t, err)
		require.JSONEq(t, `{"counter":1}`, string(snapshot.States["counted"]))
	})
}

// TestMoreThanIsReadAtATimeIsDoneAtOnce: a backlog does not wait to be looked at again.
func TestMoreThanIsReadAtATimeIsDoneAtOnce(t *testing.T) {
	inBubble(t, func(s *site) {
		app := appNamed("here")
		const rows = 2*relayBatch + 10
		for range rows {
			s.send(app, "here-a", "Ring")
		}
		one := s.starter(&cut{})
		defer s.close(one)
		synctest.Wait()
		snapshot, err := s.state.Snapshot(t.Context(), app, "here-a")
		require.NoError(t, err)
		require.JSONEq(t, `{"counter":2010}`, string(snapshot.States["counted"]))
	})
}

// TestATaskThatCannotBeStartedKeepsNothingWaiting: neither others' starts nor, for ever, its own.
func TestATaskThatCannotBeStartedKeepsNothingWaiting(t *testing.T) {
	inBubble(t, func(s *site) {
		temporal := &cut{refuses: "here.Work-bad"}
		one := s.starter(temporal)
		defer s.close(one)
		app := appNamed("here")
		s.send(app, "here-bad", "Begin")
		synctest.Wait()
		for _, session := range sessions(10) {
			s.send(app, session, "Begin")
			synctest.Wait()
		}
		require.Len(t, temporal.ran(), 10, "at once")
		temporal.mu.Lock()
		temporal.refuses = ""
		temporal.mu.Unlock()
		pause(backoffMost)
		require.Len(t, temporal.ran(), 11)
	})
}

// blind is a store whose outbox cannot be read for a while.
type blind struct {
	state.Driver
	off atomic.Bool
}

func (b *blind) Outbox(ctx context.Context, limit int) ([]state.Pending, error) {
	if b.off.Load() {
		return nil, errors.New("the store is away")
	}
	return b.Driver.Outbox(ctx, limit)
}

// TestTheOutboxAgesWhileItCannotBeRead: an operator is told although nobody can know what waits.
func TestTheOutboxAgesWhileItCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &blind{Driver: memory.New()}
		service := state.Open(store, state.Options{Logger: slog.New(slog.DiscardHandler)})
		defer func() { require.NoError(t, service.Close()) }()
		s := &site{t: t, state: service}
		one := s.starter(&cut{}, func(o *Options) { o.MeterProvider = sdkmetric.NewMeterProvider() })
		defer s.close(one)
		pause(time.Minute)
		require.Zero(t, one.metrics.age(time.Now()))
		store.off.Store(true)
		pause(time.Minute)
		require.InDelta(t, 60, one.metrics.age(time.Now()), relayLook.Seconds())
		store.off.Store(false)
		pause(relayLook)
		require.Zero(t, one.metrics.age(time.Now()))
	})
}
