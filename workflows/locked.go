package workflows

import (
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// Locked runs a section with the session's state locked and returns its result, applied exactly once. It blocks until the
// section has committed. The error is the section's own, as a *temporal.ActivityError around a *temporal.ApplicationError
// with its sentence, or a *temporal.CanceledError when the task is cancelled. It may be called from any coroutine of the task.
func Locked[S, R any](ctx workflow.Context, section func(*holdfast.Tx, *S) (R, error)) (R, error) {
	return locked[R](ctx, "Locked", section, nil)
}

// LockedWith is [Locked] for a section that takes an input. The input is recorded in the history, so it should be small;
// one over [holdfast.MaxArgument] is refused.
func LockedWith[S, I, R any](ctx workflow.Context, section func(*holdfast.Tx, *S, I) (R, error), input I) (R, error) {
	return locked[R](ctx, "LockedWith", section, &input)
}

// Do is [Locked] for a section that gives no result.
func Do[S any](ctx workflow.Context, section func(*holdfast.Tx, *S) error) error {
	_, err := locked[struct{}](ctx, "Do", section, nil)
	return err
}

// DoWith is [LockedWith] for a section that gives no result.
func DoWith[S, I any](ctx workflow.Context, section func(*holdfast.Tx, *S, I) error, input I) error {
	_, err := locked[struct{}](ctx, "DoWith", section, &input)
	return err
}

// locked is all four of them; input is a pointer to the section's input, or nil.
func locked[R any](ctx workflow.Context, caller string, section, input any) (result R, err error) {
	r, err := runOf(ctx, caller)
	if err != nil {
		return result, err
	}
	handler, err := r.section(section, caller)
	if err != nil {
		return result, err
	}
	raw, err := encodeInput(handler, input)
	if err != nil {
		return result, misuse("workflows.%s: %v", caller, err)
	}
	out, err := r.step(ctx, handler.Name(), func(position string) (json.RawMessage, error) {
		return r.call(ctx, handler, position, raw, "")
	})
	if err != nil || len(out) == 0 {
		return result, err
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return result, misuse("workflows.%s: the result of %s: %v", caller, handler.Name(), err)
	}
	return result, nil
}

func encodeInput(handler *holdfast.Handler, input any) (json.RawMessage, error) {
	if input == nil {
		return nil, nil
	}
	what := "the input of " + handler.Name()
	raw, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return raw, holdfast.CheckValue(what, raw, holdfast.MaxArgument)
}

// call runs one section as an activity under its own name.
func (r *run) call(ctx workflow.Context, handler *holdfast.Handler, position string, input json.RawMessage, summary string) (json.RawMessage, error) {
	number := r.begin()
	defer r.answered(ctx, number)
	in := wire.SectionInput{
		Session: r.session, Chain: r.chain, Position: position, Input: input,
		Seq: number, Ack: r.ack(ctx), Finally: r.finallyNames(),
	}
	var result json.RawMessage
	err := r.execute(ctx, handler.Type(), in, summary, &result)
	if err == nil {
		r.told(len(in.Finally))
	}
	return result, err // not wrapped: Temporal's own form names the section and is what the Web UI shows best
}

// execute runs one of our activities: through the server, or inline.
func (r *run) execute(ctx workflow.Context, name string, in any, summary string, result any) error {
	defer r.outstanding()()
	r.warn(ctx)
	if r.inlined(ctx) {
		return r.executeInline(ctx, name, in, summary, result)
	}
	ctx = workflow.WithActivityOptions(ctx, sectionOptions(summary))
	return r.whenCancelled(ctx, workflow.ExecuteActivity(ctx, name, in).Get(ctx, result))
}

// whenCancelled is the error of an activity that the task waited for. Once the task is cancelled the server does not
// try again: an activity whose worker has died then ends with a time-out. The session refuses what an activity of a
// cancelled task reports. Both are how the cancellation came out, no failure of the task.
func (r *run) whenCancelled(ctx workflow.Context, err error) error {
	if r.level >= wire.LevelCancelsTimedOut && ctx.Err() != nil && (temporal.IsTimeoutError(err) || refusedAsEnded(err)) {
		return ctx.Err()
	}
	return err
}

// sectionOptions retries without end: what is not worth a retry says so itself (package activities).
//
// The time-outs decide how soon a call goes on after its worker has died. A section beats while it runs, so a dead worker is
// known after the heartbeat time-out; the other one bounds a worker that lives and hangs, and is long because it
// includes the wait for the session's lock.
//
// A cancelled task waits for a section that has begun: otherwise it could be applied after the Finally sections.
func sectionOptions(summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute,
		HeartbeatTimeout:    2 * time.Second,
		WaitForCancellation: true,
		Summary:             summary,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    100 * time.Millisecond,
			BackoffCoefficient: 2,
			MaximumInterval:    10 * time.Second,
		},
	}
}
