package starter

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// appWith is the app of these tests, as a program has it that says this of its task; nil: one that has no task.
func appWith(options *holdfast.TaskOptions) *holdfast.App {
	app := holdfast.NewApp("here", counted{})
	app.Events(holdfast.Named("Begin", begin))
	if options != nil {
		app.Tasks(holdfast.With(holdfast.Named("Work", work1), *options))
	}
	return app
}

// TestPresence_SignalsByTheTasksOwnPolicy: that of the program which asked for the task, not that of the one which serves
// its page now.
func TestPresence_SignalsByTheTasksOwnPolicy(t *testing.T) {
	continues := &holdfast.TaskOptions{OnDisconnect: holdfast.ContinueOnDisconnect}
	for name, c := range map[string]struct {
		then, now *holdfast.TaskOptions
		signalled bool
	}{
		"cancelled, now continues":    {&holdfast.TaskOptions{}, continues, true},
		"cancelled, now not there":    {&holdfast.TaskOptions{}, nil, true},
		"continues, now is cancelled": {continues, &holdfast.TaskOptions{}, false},
		"continues, now not there":    {continues, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *site) {
				s.send(appWith(c.then), "here-a", "Begin")
				temporal := &cut{}
				s.close(s.starting(temporal, appWith(c.then)))
				now := s.starter(temporal, func(o *Options) { o.Apps = []*holdfast.App{appWith(c.now)} })
				defer s.close(now)
				now.arrive("here-a")
				synctest.Wait()
				require.Equal(t, c.signalled, len(temporal.said()) > 0)
			})
		})
	}
}

// starting is a starter of the app that has started what waits.
func (s *site) starting(temporal *cut, app *holdfast.App) *Starter {
	s.t.Helper()
	one := s.starter(temporal, func(o *Options) { o.Apps = []*holdfast.App{app} })
	synctest.Wait()
	require.NotEmpty(s.t, temporal.ran())
	return one
}

// TestRelay_StartsATaskWithThePolicyItWasAskedForWith, so that it listens if and only if it is signalled.
func TestRelay_StartsATaskWithThePolicyItWasAskedForWith(t *testing.T) {
	t.Parallel()
	r := &relay{starter: &Starter{opts: Options{HeartbeatTimeout: time.Minute}}}
	continues, err := appWith(&holdfast.TaskOptions{OnDisconnect: holdfast.ContinueOnDisconnect}).NamedTask("Work")
	require.NoError(t, err)
	in := r.input(continues, state.Pending{Bound: true}, []string{"one"})
	require.Equal(t, &wire.Disconnect{Grace: 10 * time.Second, TimeToLive: time.Minute, Present: []string{"one"}}, in.Disconnect)
	cancelled, err := appWith(&holdfast.TaskOptions{}).NamedTask("Work")
	require.NoError(t, err)
	require.Nil(t, r.input(cancelled, state.Pending{}, nil).Disconnect)
}

// TestOutgoing_ShowsNoFieldOfTheServers: a page gets of a task what docs/protocol.md names, and no more.
func TestOutgoing_ShowsNoFieldOfTheServers(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tasks := []state.Task{{ID: "here.Work-a-x", Name: "Work", Status: state.StatusFailed, Since: since, Error: "no", Bound: true}}
	const want = `[{"id":"here.Work-a-x","name":"Work","status":"failed","since":"2026-01-02T03:04:05Z","error":"no"}]`
	for _, update := range []state.Update{
		{Snapshot: &state.Snapshot{Tasks: tasks}},
		{Change: &state.Change{Tasks: &tasks}},
	} {
		frame, err := json.Marshal(outgoing(update))
		require.NoError(t, err)
		var got struct {
			Tasks json.RawMessage `json:"tasks"`
		}
		require.NoError(t, json.Unmarshal(frame, &got))
		require.JSONEq(t, want, string(got.Tasks))
	}
}
