package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// request starts a task or triggers an event, exactly once.
func (a *Activities) request(ctx context.Context, in wire.RequestInput) error {
	defer heartbeat(ctx)()
	session := holdfast.SessionID(in.Session)
	app, err := a.appOf(session)
	if err != nil {
		return err
	}
	request := holdfast.Request{Argument: in.Argument}
	if in.Task != "" {
		request.Task, err = app.NamedTask(in.Task)
	} else {
		request.Event, err = app.Event(in.Event)
	}
	if err != nil {
		return fmt.Errorf("request: %w", err) // a newer program's; its workers know
	}
	call := called(ctx, session)
	call.Finally = in.Finally
	call.Key = state.Key{
		Owner: string(call.Task), Chain: in.Chain, Position: in.Position,
		Fingerprint: state.Fingerprint(in.Task+"/"+in.Event, in.Argument), Seq: in.Seq, Forget: forget(in.Seq, in.Ack),
	}
	err = a.known(ctx, call, func(call state.Call) error { return a.state.Request(ctx, app, call, request) })
	attempt := activity.GetInfo(ctx).Attempt
	return spread(report(err, attempt), attempt)
}

// read reads a state as it was committed last.
func (a *Activities) read(ctx context.Context, in wire.ReadInput) (json.RawMessage, error) {
	defer heartbeat(ctx)()
	session := holdfast.SessionID(in.Session)
	app, err := a.appOf(session)
	if err != nil {
		return nil, err
	}
	doc, err := a.state.Document(ctx, app, session, in.State)
	if err != nil {
		return nil, fmt.Errorf("read state %s: %w", in.State, err)
	}
	return doc, nil
}

// register notes the Finally sections that a task has registered so far.
func (a *Activities) register(ctx context.Context, in wire.RegisterInput) error {
	defer heartbeat(ctx)()
	info := activity.GetInfo(ctx)
	id, run := holdfast.TaskID(info.WorkflowExecution.ID), info.WorkflowExecution.RunID
	err := a.state.TaskRegistered(ctx, holdfast.SessionID(in.Session), id, in.Chain, run, in.Finally)
	return report(err, info.Attempt)
}

// nap sleeps in the worker.
func nap(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return temporal.NewCanceledError() //nolint:wrapcheck // that is how Temporal knows it
	}
}

func (a *Activities) appOf(session holdfast.SessionID) (*holdfast.App, error) {
	if app := a.apps[session.App()]; app != nil {
		return app, nil
	}
	return nil, fmt.Errorf("app %q of session %s is not hosted by this worker", session.App(), session)
}
