package starter

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holdfast-run/holdfast/state"
)

// describes is a Temporal client that says of every workflow that it has ended, or that there is none.
type describes struct {
	*cut
	status enums.WorkflowExecutionStatus
}

func (d *describes) DescribeWorkflowExecution(context.Context, string, string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	if d.status == enums.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED {
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	info := &workflowpb.WorkflowExecutionInfo{Status: d.status}
	return &workflowservice.DescribeWorkflowExecutionResponse{WorkflowExecutionInfo: info}, nil
}

// skewed is a store whose tasks were asked for by a process with a wrong clock.
type skewed struct {
	*way
	by time.Duration
}

func (s *skewed) Listed(ctx context.Context) ([]state.Listed, error) {
	all, err := s.way.Listed(ctx)
	for i := range all {
		all[i].Tasks = slices.Clone(all[i].Tasks)
		for j := range all[i].Tasks {
			all[i].Tasks[j].Since = all[i].Tasks[j].Since.Add(s.by)
		}
	}
	return all, err
}

// TestReconcile_ComparesNoClocks: neither a task that has ended nor a failed one stays because the process that asked for it
// was ahead, or goes sooner because it was behind.
func TestReconcile_ComparesNoClocks(t *testing.T) {
	for name, by := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(s *site) {
				service := state.Open(&skewed{way: &way{Driver: s.store}, by: by}, state.Options{Logger: slog.New(slog.DiscardHandler)})
				defer func() { require.NoError(t, service.Close()) }()
				temporal := &describes{cut: &cut{}}
				one := s.starter(temporal.cut, func(o *Options) { o.State, o.Temporal = service, temporal })
				defer s.close(one)
				listed := func() []state.Task {
					tasks, err := s.state.TasksOf(t.Context(), "here-a")
					require.NoError(t, err)
					return tasks
				}
				s.send(appNamed("here"), "here-a", "Begin")
				synctest.Wait()
				pause(time.Minute)
				require.Empty(t, listed(), "its workflow is not there")

				temporal.status = enums.WORKFLOW_EXECUTION_STATUS_FAILED
				s.send(appNamed("here"), "here-a", "Begin")
				synctest.Wait()
				pause(time.Minute)
				require.Equal(t, state.StatusFailed, listed()[0].Status)
				pause(state.ShowFailed - 2*time.Minute)
				require.Len(t, listed(), 1)
				pause(3 * time.Minute)
				require.Empty(t, listed())
			})
		})
	}
}
