package workflows

import (
	"encoding/json"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// Start starts another task of the session, exactly once, as a section does with tx.Start. It returns when that is noted durably,
// which may be before the other task runs.
func Start(ctx workflow.Context, task any, arg ...any) error {
	return ask(ctx, "Start", func(app *holdfast.App) (holdfast.Request, error) { return app.StartRequest(task, arg...) })
}

// Trigger runs an event of the session, exactly once, as a section does with tx.Trigger. What a task starts and triggers keeps
// its order. It returns when that is noted durably, which may be before the event has run.
func Trigger(ctx workflow.Context, event any, arg ...any) error {
	return ask(ctx, "Trigger", func(app *holdfast.App) (holdfast.Request, error) { return app.TriggerRequest(event, arg...) })
}

func ask(ctx workflow.Context, caller string, of func(*holdfast.App) (holdfast.Request, error)) error {
	r, err := runOf(ctx, caller)
	if err != nil {
		return err
	}
	request, err := of(r.task.App())
	if err != nil {
		return misuse("workflows.%s: %v", caller, err)
	}
	in := wire.RequestInput{Session: r.session, Chain: r.chain, Argument: request.Argument}
	summary := "trigger "
	if request.Task != nil {
		in.Task, summary = request.Task.Name(), "start "
	} else {
		in.Event = request.Event.Name()
	}
	summary += in.Task + in.Event
	_, err = r.step(ctx, summary, func(position string) (json.RawMessage, error) {
		number := r.begin()
		defer r.answered(ctx, number)
		in.Position, in.Seq, in.Ack, in.Finally = position, number, r.ack(ctx), r.finallyNames()
		err := r.execute(ctx, wire.Request, in, summary, nil)
		if err == nil {
			r.told(len(in.Finally))
		}
		return nil, err
	})
	return err
}
