package golden

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// scene is what happens to a task from outside.
type scene struct {
	t       *testing.T
	c       client.Client
	id, run string
	timers  int // that were waited for
}

// scenes are by the names of the files. A task that is not among them is left alone.
func scenes() map[string]func(*scene) {
	return map[string]func(*scene){
		"is-cancelled": func(s *scene) { s.awaitTimer(); s.cancel() },
		"is-disconnected": func(s *scene) {
			s.awaitTimer()
			s.awaitTimer() // the one for the time to live, and the loop's
			s.signal("one", false)
		},
		"reconnects": func(s *scene) {
			s.awaitTimer()
			s.awaitTimer()
			s.signal("one", false)
			s.awaitTimer() // the grace period
			s.signal("two", true)
			s.awaitTimer() // the time to live
			s.cancel()
		},
		"is-superseded":          func(s *scene) { s.awaitTimer(); s.awaitTimer(); s.cancel() },
		"is-updated":             func(s *scene) { s.awaitTimer(); s.awaitTimer(); s.update(); s.cancel() },
		"continues-disconnected": func(s *scene) { s.awaitTimer(); s.awaitTimer(); s.signal("one", false) },
	}
}

// input is what the starter gives a task, without the session.
func input(name string) wire.TaskInput {
	away := &wire.Disconnect{Grace: time.Second, TimeToLive: 3 * time.Minute, Present: []string{"one"}}
	patient := &wire.Disconnect{Grace: time.Hour, TimeToLive: 3 * time.Minute, Present: []string{"one"}}
	brief := &wire.Disconnect{Grace: 30 * time.Second, TimeToLive: 3 * time.Minute, Present: []string{"one"}}
	inputs := map[string]wire.TaskInput{
		"completes":              {Argument: []byte("3")},
		"is-disconnected":        {Level: 1, Disconnect: away},
		"reconnects":             {Level: 1, Disconnect: brief},
		"is-superseded":          {Level: 1, Disconnect: patient, Argument: []byte("1")},
		"runs-inline":            {Level: 1, Disconnect: patient, Inline: true, NapBelow: 100 * time.Millisecond},
		"ends-inline":            {Level: 2, Disconnect: patient, Inline: true, NapBelow: 100 * time.Millisecond},
		"continues-inline":       {Level: 1, Disconnect: patient, Inline: true, NapBelow: 10 * time.Millisecond},
		"is-partly-inline":       {Level: 1, Disconnect: patient},
		"has-a-checkpoint":       {Level: 1, Disconnect: patient},
		"sleeps-on":              {Level: 1, Disconnect: patient},
		"asks":                   {Level: 1, Disconnect: patient},
		"continues-disconnected": {Level: 1, Disconnect: away},
		"tells-its-finally":      {Level: 3, Disconnect: patient},
		"ends-its-coroutines":    {Level: 3, Disconnect: patient},
		"panics-aside":           {Level: 3, Disconnect: patient},
		"is-updated":             {Level: 3, Disconnect: patient},
	}
	return inputs[name] // the others are as they were before there was more
}

// awaitTimer waits until the task has started one more timer.
func (s *scene) awaitTimer() {
	s.t.Helper()
	s.timers++
	seen := 0
	events := s.c.GetWorkflowHistory(s.t.Context(), s.id, s.run, true, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for seen < s.timers && events.HasNext() {
		event, err := events.Next()
		require.NoError(s.t, err)
		if event.GetEventType() == enums.EVENT_TYPE_TIMER_STARTED {
			seen++
		}
	}
	require.Equal(s.t, s.timers, seen, "the task ended early")
}

func (s *scene) cancel() {
	s.t.Helper()
	require.NoError(s.t, s.c.CancelWorkflow(s.t.Context(), s.id, ""))
}

func (s *scene) update() {
	s.t.Helper()
	update, err := s.c.UpdateWorkflow(s.t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: s.id, UpdateName: "add", Args: []any{2}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(s.t, err)
	require.NoError(s.t, update.Get(s.t.Context(), nil))
}

func (s *scene) signal(starter string, connected bool) {
	s.t.Helper()
	beat := wire.Heartbeat{Starter: starter, Connected: connected}
	require.NoError(s.t, s.c.SignalWorkflow(s.t.Context(), s.id, "", wire.SessionHeartbeat, beat))
}
