package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.temporal.io/sdk/activity"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

type sessionKey struct{}

// Handle is an activity's hand on its task's session. It is safe for concurrent use.
type Handle struct {
	acts    *Activities
	app     *holdfast.App
	call    state.Call // whose section it is
	attempt int32
}

// ErrNoSession reports an activity that does not run for a task of an app.
var ErrNoSession = errors.New("the activity does not run for a task of an app")

// Session gives an ordinary activity of a task its session, to report progress a hundred times a second without a trace in the
// history. The error wraps [ErrNoSession] outside of an activity that a task runs with workflows.Step.
func Session(ctx context.Context) (*Handle, error) {
	a, ok := ctx.Value(sessionKey{}).(*Activities)
	if !ok || !activity.IsActivity(ctx) {
		return nil, fmt.Errorf("activities.Session: %w", ErrNoSession)
	}
	info := activity.GetInfo(ctx)
	id := holdfast.TaskID(info.WorkflowExecution.ID)
	app := a.apps[id.Session().App()]
	if app == nil {
		return nil, fmt.Errorf("activities.Session: %w: its workflow is %s", ErrNoSession, id)
	}
	return &Handle{acts: a, app: app, call: called(ctx, id.Session()), attempt: info.Attempt}, nil
}

// ID is the session's public name.
func (h *Handle) ID() holdfast.SessionID { return h.call.Session }

// Apply runs a section, or any function of a section's signature without a result, with the session's state locked, and returns
// when it has committed. Each call is applied: an activity that is retried applies again what it applied before.
//
// The errors are those of [state.Service.Apply]; among them is [holdfast.ErrTaskEnded] as soon as the task has ended or is being
// cancelled. One that a repeat would only bring again, such as an error that the section
// returned, is marked so that Temporal does not retry the activity that hands it on.
func (h *Handle) Apply(ctx context.Context, section any, input ...any) error {
	handler, err := h.app.Handler(section)
	if err != nil {
		return fmt.Errorf("activities: %w", err)
	}
	call := h.call
	call.Handler, call.Kind = handler, state.CallStep
	if len(input) > 1 || (len(input) == 1) != handler.TakesInput() {
		return fmt.Errorf("activities: %w: %s got %d inputs", holdfast.ErrBadArgument, handler.Name(), len(input))
	}
	if len(input) == 1 {
		if call.Input, err = json.Marshal(input[0]); err != nil {
			return fmt.Errorf("activities: %w: encode the input of %s: %w", holdfast.ErrBadArgument, handler.Name(), err)
		}
	}
	err = h.acts.known(ctx, call, func(call state.Call) error {
		_, err := h.acts.state.Apply(ctx, call)
		return err
	})
	return report(err, h.attempt)
}
