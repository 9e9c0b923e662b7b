package starter

import (
	"context"
	"errors"
	"fmt"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
	"github.com/holdfast-run/holdfast/state"
)

// finally runs a Finally section of a task that ended without it, exactly once: under the key under which the task would have
// run it, so that one that the task has run is a repeat.
func (r *relay) finally(ctx context.Context, row state.Pending) (result, error) {
	handler, err := r.starter.apps[row.App].NamedSection(row.Name)
	if err != nil {
		return r.retry(ctx, row, fmt.Errorf("run %s of task %s: %w: %w", row.Name, row.Task, errNewer, err))
	}
	call, err := state.FinallyCall(row, handler)
	if err != nil {
		return r.retry(ctx, row, err)
	}
	ctx, span := r.starter.traceRow(ctx, row)
	defer span.End()
	applied, err := r.starter.opts.State.Apply(ctx, call)
	telemetry.Fail(span, err)
	if errors.Is(err, holdfast.ErrOverrun) && r.backoffs.overrun(row.ID) < overruns {
		return r.retry(ctx, row, err)
	}
	if refused := r.starter.refuse(ctx, call, err); refused != nil {
		r.starter.log.ErrorContext(ctx, "a Finally section of a task that was lost failed",
			"app", row.App, "session", row.Session, "task", row.Task, "section", row.Name, "shown", refused.Message)
		return resultDone, r.starter.opts.State.EventFailed(ctx, row, refused.Message)
	}
	if err == nil && applied.Repeat {
		return resultDone, r.starter.opts.State.Settle(ctx, row.Session, row.ID)
	}
	return resultDone, err
}
