package starter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/telemetry"
	"github.com/holdfast-run/holdfast/state"
)

// overruns is how often a triggered event may miss its deadline before that counts as its own
// fault, as for a section of a task: a machine that stood still looks like an overrun once.
const overruns = 3

// trigger runs one event that a section asked for, exactly once.
func (r *relay) trigger(ctx context.Context, row state.Pending) (result, error) {
	handler, err := r.starter.apps[row.App].Event(row.Name)
	if err != nil {
		return r.retry(ctx, row, fmt.Errorf("trigger event %s: %w: %w", row.Name, errNewer, err))
	}
	ctx, span := r.starter.traceRow(ctx, row)
	defer span.End()
	call := state.Call{
		Handler: handler, Session: row.Session, Input: row.Argument, Settles: row.ID, Kind: state.CallTrigger,
	}
	_, err = r.starter.opts.State.Apply(ctx, call)
	telemetry.Fail(span, err)
	if errors.Is(err, holdfast.ErrOverrun) && r.backoffs.overrun(row.ID) < overruns {
		return r.retry(ctx, row, err)
	}
	if refused := r.starter.refuse(ctx, call, err); refused != nil {
		return resultDone, r.starter.opts.State.EventFailed(ctx, row, refused.Message)
	}
	return resultDone, err
}

func reasonOf(row state.Pending) (reason string) {
	_ = json.Unmarshal(row.Argument, &reason) // written by us; without it there is no reason to show
	return reason
}
