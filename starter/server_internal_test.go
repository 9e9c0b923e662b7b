package starter

import (
	"context"
	"sync"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/failure/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/grpc"
)

// server is a Temporal client of a server that knows its workflows.
type server struct {
	client.Client
	mu        sync.Mutex // protects all below
	away      bool
	refuses   bool          // to start anything, for want of time
	held      chan struct{} // a start waits for it before it takes effect; nil: none
	workflows map[string]*fakeWorkflow
	log       []string // what was asked for with success, such as "cancel"
}

// fakeWorkflow is one of its workflows, of run "run".
type fakeWorkflow struct {
	status    enums.WorkflowExecutionStatus
	attempt   int32
	cause     enums.WorkflowTaskFailedCause
	explained int // how often its history was read
}

func newServer() *server { return &server{workflows: map[string]*fakeWorkflow{}} }

// running finds a workflow that runs.
func (s *server) running(id, act string) (*fakeWorkflow, error) {
	if s.away {
		return nil, serviceerror.NewUnavailable("away")
	}
	w := s.workflows[id]
	if w == nil || w.status != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return nil, serviceerror.NewNotFound("workflow execution already completed")
	}
	s.log = append(s.log, act)
	return w, nil
}

func (s *server) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	s.mu.Lock()
	held := s.held
	s.mu.Unlock()
	if held != nil {
		<-held
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.away:
		return nil, serviceerror.NewUnavailable("away")
	case s.refuses:
		return nil, serviceerror.NewResourceExhausted(0, "too much")
	case s.workflows[o.ID] != nil:
		return nil, serviceerror.NewWorkflowExecutionAlreadyStarted("there", "", "")
	}
	s.workflows[o.ID] = &fakeWorkflow{status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING, attempt: 1}
	s.log = append(s.log, "start")
	return nil, nil //nolint:nilnil // the run is not used
}

func (s *server) SignalWorkflow(context.Context, string, string, string, any) error { return nil }

// CancelWorkflowWithOptions ends a workflow at once, unless it is stuck.
func (s *server) CancelWorkflowWithOptions(_ context.Context, o client.CancelWorkflowOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, err := s.running(o.WorkflowID, "cancel")
	if err == nil && w.attempt < stuckAttempts {
		w.status = enums.WORKFLOW_EXECUTION_STATUS_CANCELED
	}
	return err
}

func (s *server) TerminateWorkflow(_ context.Context, id, _, _ string, _ ...any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, err := s.running(id, "terminate")
	if err == nil {
		w.status = enums.WORKFLOW_EXECUTION_STATUS_TERMINATED
	}
	return err
}

func (s *server) DescribeWorkflowExecution(_ context.Context, id, _ string) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workflows[id]
	switch {
	case s.away:
		return nil, serviceerror.NewUnavailable("away")
	case w == nil:
		return nil, serviceerror.NewNotFound("no such workflow")
	}
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{Status: w.status, Execution: &common.WorkflowExecution{WorkflowId: id, RunId: "run"}},
		PendingWorkflowTask:   &workflowpb.PendingWorkflowTaskInfo{Attempt: w.attempt},
	}, nil
}

func (s *server) WorkflowService() workflowservice.WorkflowServiceClient { return histories{server: s} }

// histories gives the end of a workflow's history: that its turn failed, unless it is only late.
type histories struct {
	workflowservice.WorkflowServiceClient
	server *server
}

func (h histories) GetWorkflowExecutionHistoryReverse(
	_ context.Context, in *workflowservice.GetWorkflowExecutionHistoryReverseRequest, _ ...grpc.CallOption,
) (*workflowservice.GetWorkflowExecutionHistoryReverseResponse, error) {
	h.server.mu.Lock()
	defer h.server.mu.Unlock()
	w := h.server.workflows[in.GetExecution().GetWorkflowId()]
	w.explained++
	events := []*history.HistoryEvent{{EventType: enums.EVENT_TYPE_WORKFLOW_TASK_STARTED}}
	if w.cause != 0 {
		events = append(events, &history.HistoryEvent{Attributes: &history.HistoryEvent_WorkflowTaskFailedEventAttributes{
			WorkflowTaskFailedEventAttributes: &history.WorkflowTaskFailedEventAttributes{
				Cause: w.cause, Failure: &failure.Failure{Message: "[TMPRL1100] secret detail"},
			},
		}})
	}
	return &workflowservice.GetWorkflowExecutionHistoryReverseResponse{History: &history.History{Events: events}}, nil
}

// set changes the server, or all of its workflows.
func (s *server) set(change func(*server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *server) each(change func(*fakeWorkflow)) {
	s.set(func(s *server) {
		for _, w := range s.workflows {
			change(w)
		}
	})
}

// did is what was asked for since the last call.
func (s *server) did() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.log
	s.log = nil
	return log
}
