// Package activities is the side of a task that touches the world: it runs sections, and the steps of a task's life, through
// the state service. Workflows call it by name; authors do not call it.
package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// keepCalls is how many of a task's last calls the ledger keeps in any case, although the task does not ask for them again: so far
// back a reset of its workflow finds what was applied.
const keepCalls = 4096

// forget is up to which of its calls a task lets the ledger forget, by a call's number and what the task has acknowledged.
func forget(seq, ack int64) int64 { return max(0, min(ack-1, seq-keepCalls)) }

// beat is how often a section that takes its time tells Temporal that its worker is alive. It is well below the heartbeat
// timeout that package workflows sets, so that a slow moment is not taken for a death.
const beat = 500 * time.Millisecond

// Activities runs sections through a state service. Its methods are safe for concurrent use.
type Activities struct {
	state *state.Service
	apps  map[string]*holdfast.App
	runs  Runs
}

// New returns activities of the apps that go through the service.
func New(service *state.Service, apps ...*holdfast.App) *Activities {
	a := &Activities{state: service, apps: map[string]*holdfast.App{}, runs: temporalRuns{}}
	for _, app := range apps {
		a.apps[app.Name()] = app
	}
	return a
}

// RegisterLifecycle registers the steps that all apps' tasks share; once for each registry.
func (a *Activities) RegisterLifecycle(registry worker.ActivityRegistry) {
	registry.RegisterActivityWithOptions(a.taskEnded, activity.RegisterOptions{Name: wire.TaskEnded})
	registry.RegisterActivityWithOptions(a.request, activity.RegisterOptions{Name: wire.Request})
	registry.RegisterActivityWithOptions(a.read, activity.RegisterOptions{Name: wire.Read})
	registry.RegisterActivityWithOptions(a.register, activity.RegisterOptions{Name: wire.Register})
	registry.RegisterActivityWithOptions(a.present, activity.RegisterOptions{Name: wire.Present})
	registry.RegisterActivityWithOptions(nap, activity.RegisterOptions{Name: wire.Nap})
}

// Register registers each section and activity of the app under its own name, such as "counter.step". The error is that of
// app.Check.
func (a *Activities) Register(registry worker.ActivityRegistry, app *holdfast.App) error {
	if err := app.Check(); err != nil {
		return err
	}
	for handler := range app.AllSections() {
		registry.RegisterActivityWithOptions(a.section(handler), activity.RegisterOptions{Name: handler.Type()})
	}
	for name, fn := range app.AllActivities() {
		registry.RegisterActivityWithOptions(a.wrap(fn), activity.RegisterOptions{Name: name})
	}
	return nil
}

// section is the activity of one section.
func (a *Activities) section(handler *holdfast.Handler) func(context.Context, wire.SectionInput) (json.RawMessage, error) {
	return func(ctx context.Context, in wire.SectionInput) (json.RawMessage, error) {
		info := activity.GetInfo(ctx)
		stop := heartbeat(ctx)
		defer stop()
		call := called(ctx, holdfast.SessionID(in.Session))
		call.Handler, call.Input, call.Final = handler, in.Input, strings.HasPrefix(in.Position, "end.")
		call.Finally = in.Finally
		call.Key = state.Key{
			Owner:       info.WorkflowExecution.ID,
			Chain:       in.Chain,
			Position:    in.Position,
			Fingerprint: state.Fingerprint(handler.Name(), in.Input),
			Seq:         in.Seq,
			Forget:      forget(in.Seq, in.Ack),
		}
		if call.Final { // each run that comes to its end cleans up, also one that was reset after another had
			call.Key.Chain += "/" + call.Run
		}
		var applied state.Applied
		err := a.known(ctx, call, func(call state.Call) (err error) {
			applied, err = a.state.Apply(ctx, call)
			return err
		})
		if err != nil {
			return nil, spread(report(err, info.Attempt), info.Attempt)
		}
		if applied.Repeat {
			logger(ctx, holdfast.SessionID(in.Session)).Info("section had been applied before; answered from the ledger", "section", handler.Name(), "position", in.Position)
		}
		return applied.Result, nil
	}
}

// taskEnded takes the task off its session's list.
func (a *Activities) taskEnded(ctx context.Context, in wire.TaskEndedInput) error {
	execution := activity.GetInfo(ctx).WorkflowExecution
	id := holdfast.TaskID(execution.ID)
	shown := in.Shown
	if shown == "" {
		shown, _, _ = strings.Cut(strings.TrimSpace(in.Failure), "\n") // Temporal has the rest
	}
	var how state.Ending // as its failure says
	if in.Cancelled {
		how = state.EndingCancelled
	}
	if err := a.state.TaskEndedAs(ctx, holdfast.SessionID(in.Session), id, execution.RunID, how, shown); err != nil {
		return fmt.Errorf("end task %s: %w", id, err)
	}
	if in.Failure != "" {
		a.reportFailure(ctx, in)
	}
	return nil
}

// reportFailure reports a failed task to the log and the app, under the id that its page
// shows.
func (a *Activities) reportFailure(ctx context.Context, in wire.TaskEndedInput) {
	session, info := holdfast.SessionID(in.Session), activity.GetInfo(ctx)
	failure := holdfast.Failure{
		Session: session, Task: holdfast.TaskID(info.WorkflowExecution.ID), Name: strings.TrimPrefix(info.WorkflowType.Name, session.App()+"."),
		Kind: in.Kind, Message: in.Failure, Stack: in.Stack, ID: wire.FailureID(info.WorkflowExecution.RunID),
	}
	if in.Kind == wire.ErrorRejected {
		logger(ctx, session).Info("a task was rejected", "id", failure.ID, "err", failure.Message)
	} else {
		logger(ctx, session).Error("a task failed", "id", failure.ID, "kind", failure.Kind, "err", failure.Message, "stack", failure.Stack)
	}
	if app := a.apps[session.App()]; app != nil {
		app.ReportFailure(ctx, failure)
	}
}

// logger is the activity's logger, with the names that the other packages give to what it is about.
func logger(ctx context.Context, session holdfast.SessionID) log.Logger {
	return log.With(activity.GetLogger(ctx), "app", session.App(), "session", session, "task", activity.GetInfo(ctx).WorkflowExecution.ID)
}

// heartbeat beats until the returned function is called. A section that is done at once never beats.
func heartbeat(ctx context.Context) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go func() {
		ticker := time.NewTicker(beat)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
	return stop
}
