package starter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// cancelEvent is the event by which a page cancels tasks of its session. No event of an app can have this name.
const cancelEvent = "holdfast.cancel"

// cancel cancels one of the session's tasks, or all of them.
func (c *connection) cancel(event *eventMessage, ack ackMessage) (ackMessage, error) {
	var id *holdfast.TaskID
	if len(event.Arg) > 0 {
		if err := json.Unmarshal(event.Arg, &id); err != nil {
			ack.Error = refused(codeBadArgument, fmt.Sprintf("%s takes the id of a task or null, got %s", cancelEvent, wire.Bound(string(event.Arg), maxEcho)))
			return ack, nil //nolint:nilerr // the client is told; the connection goes on
		}
	}
	if id == nil {
		id = new(holdfast.TaskID)
	}
	if event.Epoch != "" && event.Epoch != c.epoch {
		ack.Error = refused(codeOtherEpoch, state.ErrOtherEpoch.Error())
		return ack, nil
	}
	for {
		revision, err := c.cancelOnce(event.ID, *id)
		if err == nil {
			ack.Revision = revision
			return ack, nil
		}
		if ack.Error = cancelRefusal(*id, err); ack.Error != nil {
			return ack, nil
		}
		c.log.WarnContext(c.ctx, "tasks could not be cancelled; trying again", "err", err)
		if !wait(c.ctx, time.Second) {
			return ack, context.Cause(c.ctx)
		}
	}
}

// cancelOnce cancels, exactly once for the event's id, and returns a revision that includes it.
func (c *connection) cancelOnce(event int64, id holdfast.TaskID) (revision int64, err error) {
	err = c.starter.opts.State.Cancel(c.ctx, c.session, state.PageKey(c.page.Client, event), id, "cancelled from the page")
	if err != nil {
		return 0, err
	}
	snapshot, err := c.starter.opts.State.Snapshot(c.ctx, c.app, c.session)
	if err != nil {
		return 0, fmt.Errorf("read the revision of a cancel: %w", err)
	}
	return snapshot.Position.Revision, nil
}

// cancelRefusal is the answer to a cancel that would only be refused again; nil to one that may pass.
func cancelRefusal(id holdfast.TaskID, err error) *ackError {
	switch {
	case errors.Is(err, state.ErrNoTask):
		return refused(codeRejected, "the session has no task "+quoted(string(id)))
	case errors.Is(err, state.ErrForgotten):
		return refused(codeForgotten, state.ErrForgotten.Error())
	default:
		return nil
	}
}
