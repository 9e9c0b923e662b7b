package starter

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// lists is the state of an app whose task has Finally sections.
type lists struct {
	Done []string `json:"done,omitempty"`
}

func first(_ *holdfast.Tx, s *lists) error  { s.Done = append(s.Done, "first"); return nil }
func second(_ *holdfast.Tx, s *lists) error { s.Done = append(s.Done, "second"); return nil }
func third(*holdfast.Tx, *lists) error      { panic("out of cheese") }

// appWithFinally is an app named here with these sections.
func appWithFinally(sections ...any) *holdfast.App {
	app := holdfast.NewApp("here", lists{})
	app.Sections(sections...)
	app.Tasks(holdfast.Named("Work", work1))
	return app
}

// ending runs a task that has registered first, second and third with Finally, and a test of how it ends.
func ending(t *testing.T, app *holdfast.App, test func(s *site, temporal *server, log *bytes.Buffer)) {
	t.Helper()
	inBubble(t, func(s *site) {
		var log bytes.Buffer
		temporal := newServer()
		one := s.starterOn(temporal, func(o *Options) {
			o.Apps, o.Logger = []*holdfast.App{app}, slog.New(slog.NewTextHandler(&log, nil))
		})
		defer s.close(one)
		require.NoError(t, s.state.Do(s.t.Context(), app, "here-a", func(tx *holdfast.Tx, _ *lists) error { tx.Start(work1); return nil }))
		pause(time.Second)
		require.NoError(t, s.state.TaskRegistered(s.t.Context(), "here-a", s.tasks("here-a")[0].ID, "chain", "run", []string{"first", "second", "third"}))
		test(s, temporal, &log)
	})
}

func (s *site) done(app *holdfast.App) string {
	s.t.Helper()
	snapshot, err := s.state.Snapshot(s.t.Context(), app, "here-a")
	require.NoError(s.t, err)
	return string(snapshot.States["lists"])
}

const inOrder = `{"done":["second","first"]}` // the last one first; the third fails

func TestReconcile_RunsTheFinallySectionsOfATaskThatWasLost(t *testing.T) {
	app := appWithFinally(first, second, third)
	ending(t, app, func(s *site, temporal *server, _ *bytes.Buffer) {
		temporal.each(func(w *fakeWorkflow) { w.status = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED })
		pause(time.Minute)
		require.JSONEq(t, inOrder, s.done(app))
		require.Equal(t, "the task was terminated", s.tasks("here-a")[0].Error)
		told := s.told("here-a")
		require.Equal(t, "the task was terminated", told[0].Error)
		require.Equal(t, "third", told[1].Name)
		require.NotContains(t, told[1].Error, "cheese")
		require.Empty(t, s.outbox())
	})
}

func TestRelay_AFinallySectionThatIsNotKnownWaitsAndHoldsUpNothing(t *testing.T) {
	app := appWithFinally(first)
	ending(t, app, func(s *site, temporal *server, _ *bytes.Buffer) {
		temporal.set(func(f *server) { clear(f.workflows) })
		pause(time.Minute)
		require.JSONEq(t, `{}`, s.done(app))
		require.Len(t, s.outbox(), 3, "the last one has to come first")
		newer := appWithFinally(first, second, third)
		two := s.starterOn(temporal, func(o *Options) { o.Apps = []*holdfast.App{newer} })
		defer s.close(two)
		pause(time.Second)
		require.JSONEq(t, inOrder, s.done(newer))
		require.Empty(t, s.outbox())
	})
}

func TestReconcile_ListsATaskThatIsStuck(t *testing.T) {
	app := appWithFinally(first, second, third)
	ending(t, app, func(s *site, temporal *server, log *bytes.Buffer) {
		temporal.each(func(w *fakeWorkflow) {
			w.attempt, w.cause = stuckAttempts, enums.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
		})
		pause(10 * time.Minute)
		task := s.tasks("here-a")[0]
		require.Equal(t, state.StatusStuck, task.Status)
		require.Equal(t, "its code has changed and does not fit what it has done so far", task.Error)
		require.Equal(t, 1, strings.Count(log.String(), "a task is stuck"), "it is said once")
		require.Contains(t, log.String(), "secret detail")
		temporal.each(func(w *fakeWorkflow) {
			require.Equal(t, 1, w.explained)
			w.attempt = 1
		})
		pause(time.Minute)
		require.Equal(t, state.StatusRunning, s.tasks("here-a")[0].Status)
		require.Empty(t, s.tasks("here-a")[0].Error)
	})
}

func TestReconcile_ATaskWhoseTurnsAreOnlyLateIsNotStuck(t *testing.T) {
	ending(t, appWithFinally(first, second, third), func(s *site, temporal *server, _ *bytes.Buffer) {
		temporal.each(func(w *fakeWorkflow) { w.attempt = lateAttempts - 1 })
		pause(time.Minute)
		require.Equal(t, state.StatusRunning, s.tasks("here-a")[0].Status)
		temporal.each(func(w *fakeWorkflow) { w.attempt = lateAttempts })
		pause(time.Minute)
		require.Equal(t, state.StatusStuck, s.tasks("here-a")[0].Status)
	})
}

// TestCancel_OfAStuckTaskEndsIt: it is asked in good order first, then terminated, and what it had left is done.
func TestCancel_OfAStuckTaskEndsIt(t *testing.T) {
	for name, before := range map[string]time.Duration{"that is listed as stuck": time.Minute, "before that is known": 0} {
		t.Run(name, func(t *testing.T) {
			app := appWithFinally(first, second, third)
			ending(t, app, func(s *site, temporal *server, _ *bytes.Buffer) {
				temporal.each(func(w *fakeWorkflow) {
					w.attempt, w.cause = stuckAttempts, enums.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
				})
				pause(before)
				temporal.did()
				s.cancelAll()
				pause(time.Millisecond)
				require.Equal(t, state.StatusCancelling, s.tasks("here-a")[0].Status)
				require.Equal(t, "its code fails in the workers", s.tasks("here-a")[0].Error)
				pause(2 * backoffFirst)
				did := temporal.did()
				require.Equal(t, "cancel", did[0])
				require.Equal(t, "terminate", did[len(did)-1])
				require.Empty(t, s.tasks("here-a"))
				require.JSONEq(t, inOrder, s.done(app))
				require.Empty(t, s.outbox())
			})
		})
	}
}

// TestCancel_OfATaskThatGetsStuckByItEndsIt: the cancellation is its first turn for long.
func TestCancel_OfATaskThatGetsStuckByItEndsIt(t *testing.T) {
	app := appWithFinally(first, second, third)
	ending(t, app, func(s *site, temporal *server, _ *bytes.Buffer) {
		temporal.each(func(w *fakeWorkflow) { w.attempt = stuckAttempts }) // whose reason is not known yet
		s.cancelAll()
		pause(time.Second)
		require.Empty(t, s.outbox())
		temporal.each(func(w *fakeWorkflow) { w.cause = enums.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR })
		pause(time.Minute)
		require.Empty(t, s.tasks("here-a"))
		require.JSONEq(t, inOrder, s.done(app))
	})
}
