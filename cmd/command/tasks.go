package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// settled is the age from which on a task must be both listed and running. A younger one may be on its way.
const settled = time.Minute

// checkTasks compares the sessions' lists with the workflows that run. They differ after one of the two was restored from a backup and the
// other was not, or from another moment.
func (d *doctor) checkTasks(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, doctorPatience)
	defer cancel()
	f := finding{about: "tasks"}
	if d.state == nil || !d.config.Temporal.SearchAttributes {
		f.says = "not compared with the workflows, which takes the state and the search attributes"
		return f
	}
	running, err := d.running(ctx) // before the lists: a task leaves its list before its workflow ends
	if err != nil {
		f.err = err
		return f
	}
	listed, err := d.listed(ctx)
	if err != nil {
		f.err = err
		return f
	}
	unlisted := slices.DeleteFunc(running, func(id string) bool { return listed[id] != nil })
	lost, err := d.lost(ctx, listed)
	if err != nil {
		f.err = err
		return f
	}
	f.says = fmt.Sprintf("%d listed, and each runs", len(listed))
	if len(lost)+len(unlisted) > 0 {
		f.err = fmt.Errorf("%d listed tasks do not run%s; %d workflows run that no session lists%s", len(lost), some(lost), len(unlisted), some(unlisted))
	}
	if stuck := stuckOf(listed); len(stuck) > 0 {
		f.err = errors.Join(f.err, fmt.Errorf("%d listed tasks are stuck%s", len(stuck), some(stuck)))
	}
	return f
}

// stuckOf are the ids of the tasks that do not move, each with the reason.
func stuckOf(listed map[string]*state.Task) (ids []string) {
	for id, task := range listed {
		if task.Status == state.StatusStuck || task.Status == state.StatusCancelling && task.Error != "" {
			ids = append(ids, id+" ("+task.Error+")")
		}
	}
	slices.Sort(ids)
	return ids
}

// some names the first few.
func some(ids []string) string {
	const few = 5
	if len(ids) == 0 {
		return ""
	}
	more := ""
	if len(ids) > few {
		ids, more = ids[:few], ", …"
	}
	return ": " + strings.Join(ids, ", ") + more
}

// running are the ids of the apps' workflows that have run for a while.
func (d *doctor) running(ctx context.Context) (ids []string, err error) {
	names := make([]string, 0, len(d.program.Apps))
	for _, app := range d.program.Apps {
		names = append(names, "'"+app.Name()+"'")
	}
	request := &workflowservice.ListWorkflowExecutionsRequest{Namespace: d.namespace, Query: fmt.Sprintf(
		"ExecutionStatus = 'Running' AND %s IN (%s) AND StartTime < '%s'", wire.SearchApp, strings.Join(names, ", "),
		d.program.now().Add(-settled).UTC().Format(time.RFC3339))}
	for {
		answer, err := d.temporal.ListWorkflow(ctx, request)
		if err != nil {
			return nil, fmt.Errorf("list the workflows that run: %w", err)
		}
		for _, execution := range answer.GetExecutions() {
			ids = append(ids, execution.GetExecution().GetWorkflowId())
		}
		request.NextPageToken = answer.GetNextPageToken()
		if len(request.GetNextPageToken()) == 0 {
			return ids, nil
		}
	}
}

// listed are the live tasks on the lists of the apps' sessions, by id.
func (d *doctor) listed(ctx context.Context) (map[string]*state.Task, error) {
	sessions, err := d.state.Listed(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the tasks: %w", err)
	}
	all := map[string]*state.Task{}
	for _, session := range sessions {
		for _, task := range session.Tasks {
			if task.Live() {
				all[string(task.ID)] = &task
			}
		}
	}
	return all, nil
}

// lost are the ids of those that should run and do not.
func (d *doctor) lost(ctx context.Context, listed map[string]*state.Task) (ids []string, err error) {
	for id, task := range listed {
		if task.Status == state.StatusStarting || d.program.now().Sub(task.Since) < settled {
			continue
		}
		description, err := d.temporal.DescribeWorkflowExecution(ctx, id, "")
		var missing *serviceerror.NotFound
		if err != nil && !errors.As(err, &missing) {
			return nil, fmt.Errorf("ask for task %s: %w", id, err)
		}
		if err != nil || description.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
