package starter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// relayBatch is how many tasks the relay reads from the outbox at a time.
	relayBatch = 1000
	// relaySessions is how many sessions' tasks it starts at the same time.
	relaySessions = 16
	// relayLook is how often it looks without being told, in case a notice was lost.
	relayLook = 5 * time.Second
	// relayRetry is how soon it tries again what failed.
	relayRetry = time.Second
)

// workflowTaskTimeout is how long a worker may take for one turn of a workflow. A turn takes milliseconds; a worker that
// died in one is found out after this time.
const workflowTaskTimeout = 2 * time.Second

// relay starts the tasks in the outbox. Any number of relays may run: a task's workflow id is fixed in the outbox, so
// whoever comes second is told that it runs.
type relay struct {
	starter *Starter
}

// run relays until ctx ends.
func (r *relay) run(ctx context.Context) {
	for ctx.Err() == nil {
		changed := r.starter.opts.State.OutboxChanged() // before the reading, to miss nothing
		pause := relayLook
		if err := r.drain(ctx); err != nil && ctx.Err() == nil {
			r.starter.log.Warn("starting tasks failed; trying again", "err", err)
			pause, changed = relayRetry, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// drain starts what is in the outbox: each session's tasks in their order, sessions side by side.
func (r *relay) drain(ctx context.Context) error {
	pending, err := r.starter.opts.State.Outbox(ctx, relayBatch)
	if err != nil {
		return err
	}
	bySession := map[holdfast.SessionID][]state.Pending{}
	for _, p := range pending {
		if r.starter.apps[p.App] != nil { // another starter may serve it
			bySession[p.Session] = append(bySession[p.Session], p)
		}
	}
	var group errgroup.Group
	group.SetLimit(relaySessions)
	for _, tasks := range bySession {
		group.Go(func() error {
			for _, task := range tasks {
				if err := r.start(ctx, task); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait() //nolint:wrapcheck // start has wrapped it
}

// start starts one task and strikes it out of the outbox. It may be repeated at any point.
func (r *relay) start(ctx context.Context, p state.Pending) error {
	_, err := r.starter.opts.Temporal.ExecuteWorkflow(ctx, r.options(p), p.App+"."+p.Name, wire.TaskInput{
		Session:  string(p.Session),
		Argument: p.Argument,
	})
	var running *serviceerror.WorkflowExecutionAlreadyStarted
	var refused *serviceerror.InvalidArgument
	switch {
	case errors.As(err, &refused):
		r.starter.log.Error("Temporal refuses to start a task", "task", p.ID, "err", err)
		return r.starter.opts.State.TaskEnded(ctx, p.Session, p.ID, "the task could not be started: "+refused.Error())
	case err != nil && !errors.As(err, &running):
		return fmt.Errorf("start task %s: %w", p.ID, err)
	}
	return r.starter.opts.State.TaskStarted(ctx, p.Session, p.ID)
}

func (r *relay) options(p state.Pending) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:        string(p.ID),
		TaskQueue: r.starter.opts.TaskQueue,
		// The id belongs to this one start for ever, also when its workflow has ended.
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowTaskTimeout:                      workflowTaskTimeout,
		EnableEagerStart:                         true, // saves a round trip where the worker is in this process
		StaticSummary:                            fmt.Sprintf("%s of session %s", p.Name, p.Session),
	}
}
