package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// startTimeout is how long the start of one task may take, from before the look at who is
// present. A start that is cancelled meanwhile can come no later than that.
const startTimeout = 10 * time.Second

// inlineTaskTimeout bounds the workflow task time-out of an inline task. While sections run inline a workflow task lasts
// as long as they do, and the task learns of a signal or a cancellation after four fifths of its time-out.
const inlineTaskTimeout = 2 * time.Second

// startAll starts tasks of one session and strikes them out of the outbox. The error is that
// of a Temporal or a store that is away; a row that fails for its own reason has its own retry.
func (r *relay) startAll(ctx context.Context, session holdfast.SessionID, rows []state.Pending) (result, error) {
	limited, cancel := context.WithTimeout(ctx, startTimeout) // before the look at who is present: it is true for so long
	defer cancel()
	present, err := r.starter.opts.State.Presence(limited, session)
	if err != nil {
		return resultWaits, err
	}
	var mu sync.Mutex // protects started, all and errs
	var started []holdfast.TaskID
	var errs []error
	all := resultDone
	var group sync.WaitGroup
	for i := range rows {
		group.Go(func() {
			result, err := r.start(limited, rows[i], present)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			switch {
			case err != nil:
			case result == resultDone:
				started = append(started, rows[i].Task)
			default:
				all = resultWaits
			}
		})
	}
	group.Wait()
	return all, errors.Join(append(errs, r.started(ctx, session, started, present))...)
}

// start starts one task. With resultDone and no error the task runs. It may be repeated at any point.
func (r *relay) start(ctx context.Context, row state.Pending, present []string) (result, error) {
	task, err := r.starter.apps[row.App].NamedTask(row.Name)
	if err != nil {
		return r.retry(ctx, row, fmt.Errorf("start task %s: %w: %w", row.Name, errNewer, err))
	}
	ctx, span := r.starter.traceRow(ctx, row)
	defer span.End()
	err = r.execute(ctx, row, task.Type(), r.input(task, row, present))
	if running := (*serviceerror.WorkflowExecutionAlreadyStarted)(nil); errors.As(err, &running) {
		return resultDone, nil
	}
	telemetry.Fail(span, err)
	switch classify(err) {
	case classNone:
		return resultDone, nil
	case classRefused:
		id := failureID()
		r.starter.log.ErrorContext(ctx, "Temporal refuses to start a task", "id", id, "app", row.App, "session", row.Session, "task", row.ID, "err", err)
		return resultWaits, r.starter.opts.State.TaskEndedAs(ctx, row.Session, row.Task, "", state.EndingRefused, whyRefused(row.Name, id, err))
	case classRow:
		return r.retry(ctx, row, fmt.Errorf("start task %s: %w", row.ID, err))
	default:
		return resultWaits, fmt.Errorf("start task %s: %w", row.ID, err)
	}
}

// execute asks Temporal to run the workflow. A namespace that lacks the search attributes refuses it; the task matters more.
func (r *relay) execute(ctx context.Context, row state.Pending, workflow string, in wire.TaskInput) error {
	options := r.options(row)
	_, err := r.starter.opts.Temporal.ExecuteWorkflow(ctx, options, workflow, in)
	var refused *serviceerror.InvalidArgument
	if errors.As(err, &refused) && options.TypedSearchAttributes.Size() > 0 && strings.Contains(refused.Error(), wire.SearchPrefix) {
		r.starter.log.Warn("Temporal refuses a task's search attributes; starting it without", "task", row.ID, "err", err)
		options.TypedSearchAttributes = temporal.SearchAttributes{}
		_, err = r.starter.opts.Temporal.ExecuteWorkflow(ctx, options, workflow, in)
	}
	return err //nolint:wrapcheck // start wraps it
}

// started notes what runs. What changed between the look at the presence and the start is told now: a page that came or left in
// between could not tell a workflow that did not run yet.
func (r *relay) started(ctx context.Context, session holdfast.SessionID, ids []holdfast.TaskID, present []string) error {
	if len(ids) == 0 {
		return nil
	}
	unlisted, err := r.starter.opts.State.TasksStarted(ctx, session, ids...)
	if err != nil {
		return err
	}
	for _, id := range unlisted { // ended already, or cancelled before it ran
		if _, err := r.starter.requestCancel(ctx, id, "cancelled before it ran"); err != nil {
			return err
		}
	}
	now, err := r.starter.opts.State.Presence(ctx, session)
	if err != nil {
		return err
	}
	for _, starter := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(present, now)))) {
		if err := r.starter.presence.correct(ctx, session, starter, slices.Contains(present, starter)); err != nil {
			return err
		}
	}
	return nil
}

// turnTimeout is how long a worker may take for one workflow task.
func (r *relay) turnTimeout(row state.Pending) time.Duration {
	timeout := r.starter.opts.WorkflowTaskTimeout
	task, err := r.starter.apps[row.App].NamedTask(row.Name)
	if err == nil && task.Options().Inline {
		return min(timeout, inlineTaskTimeout)
	}
	return timeout
}

func (r *relay) options(row state.Pending) client.StartWorkflowOptions {
	options := client.StartWorkflowOptions{
		ID:        row.ID,
		TaskQueue: r.starter.opts.TaskQueue,
		// The id belongs to this one start for ever, also when its workflow has ended.
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowTaskTimeout:                      r.turnTimeout(row),
		EnableEagerStart:                         true, // saves a round trip where the worker is in this process
		StaticSummary:                            fmt.Sprintf("%s of session %s", row.Name, row.Session),
	}
	if r.starter.opts.SearchAttributes {
		options.TypedSearchAttributes = temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(wire.SearchApp).ValueSet(row.App),
			temporal.NewSearchAttributeKeyKeyword(wire.SearchTask).ValueSet(row.Name),
			temporal.NewSearchAttributeKeyKeyword(wire.SearchSession).ValueSet(string(row.Session)),
		)
	}
	return options
}

// input is what the workflow is started with. What it says of the task's options holds for the whole life of the task, also
// when a newer program runs it.
func (r *relay) input(task *holdfast.Task, row state.Pending, present []string) wire.TaskInput {
	in := wire.TaskInput{Session: string(row.Session), Argument: row.Argument, Level: wire.Level}
	if row.Bound {
		in.Disconnect = &wire.Disconnect{Grace: task.Options().Grace, TimeToLive: r.starter.opts.HeartbeatTimeout, Present: present}
	}
	in.Inline, in.NapBelow = task.Options().Inline, r.starter.opts.NapBelow
	return in
}
