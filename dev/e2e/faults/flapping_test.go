package faults_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"github.com/holdfast-run/holdfast/dev/e2e/exact"
	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// flapping has a page come and go for a minute. Its task goes on, and is not told each time.
func flapping(t *testing.T, server *processes.Temporal, db database) {
	const (
		minute = time.Minute
		every  = 100 * time.Millisecond
		most   = 60 // signals; the page comes and goes three hundred times
	)
	s := newScene(t, server, db)
	starter := s.Starter()
	s.Worker()
	p := open(t, "flappingpage", starter.Address)
	p.send("Begin", exact.Run{Loop: "bound"})
	p.untilTurn("bound", 2)
	task := p.task()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for over := time.After(minute); ; {
		select {
		case <-tick.C:
			p.close()
			if p.room() { // on a loaded machine the starter may be behind, and only a page that is back gets on
				p.note(1)
			}
			<-tick.C
			p.back()
			continue
		case <-over:
		}
		break
	}
	p.settled()
	turn := p.loop("bound").Highest
	p.untilTurn("bound", turn+3)
	require.Equal(t, task, p.tasks[0].ID)
	signals := s.signals(task)
	t.Logf("%d signals", signals)
	require.LessOrEqual(t, signals, most)
	p.send("End", "bound")
	p.ended("bound")
	p.requireExact(nil, "bound")
}

// signals counts those in the task's history.
func (s *scene) signals(task string) (n int) {
	s.t.Helper()
	history := s.Client().GetWorkflowHistory(s.t.Context(), task, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		require.NoError(s.t, err)
		if event.GetEventType() == enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED {
			n++
		}
	}
	return n
}
