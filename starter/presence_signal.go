package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// presenceSignals is how many signals about presence a starter sends at the same time.
const presenceSignals = 32

// listening are the tasks of a list that are told of their pages.
func listening(tasks []state.Task) (ids []holdfast.TaskID) {
	for _, t := range tasks {
		if t.Bound && t.Live() {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// listed takes over the session's list of tasks as a page of it is shown it.
func (p *presence) listed(session holdfast.SessionID, update state.Update) {
	var tasks []state.Task
	switch {
	case update.Snapshot != nil:
		tasks = update.Snapshot.Tasks
	case update.Change != nil && update.Change.Tasks != nil:
		tasks = *update.Change.Tasks
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if a := p.sessions[session]; a != nil {
		a.known = listening(tasks)
	}
}

// knownTasks are the tasks that listen, as far as is known without the state service.
func (p *presence) knownTasks(a *connState) []holdfast.TaskID {
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.known
}

// listeners reads which tasks of the session listen.
func (p *presence) listeners(ctx context.Context, session holdfast.SessionID, a *connState) ([]holdfast.TaskID, error) {
	ids, err := p.read(ctx, session)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a.known = ids
	for id := range a.heard {
		if !slices.Contains(ids, id) {
			delete(a.heard, id)
		}
	}
	return ids, nil
}

func (p *presence) read(ctx context.Context, session holdfast.SessionID) ([]holdfast.TaskID, error) {
	ctx, cancel := context.WithTimeout(ctx, presenceCall)
	defer cancel()
	tasks, err := p.starter.opts.State.TasksOf(ctx, session)
	return listening(tasks), err
}

// tell tells those of the tasks that have not heard it yet. A failure about one keeps no
// other one from hearing.
func (p *presence) tell(ctx context.Context, session holdfast.SessionID, a *connState, tasks []holdfast.TaskID, beat wire.Heartbeat) error {
	p.mu.Lock()
	tasks = slices.DeleteFunc(slices.Clone(tasks), func(id holdfast.TaskID) bool {
		there, ok := a.heard[id]
		return ok && there == beat.Connected
	})
	p.mu.Unlock()
	return p.signalAll(ctx, session, tasks, beat, func(id holdfast.TaskID, heard bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if heard {
			a.heard[id] = beat.Connected
		} else {
			delete(a.heard, id) // it may have heard, or not
		}
	})
}

// signalAll signals each of the tasks, and calls done for each. The error is that of
// those to which it is to be said again.
func (p *presence) signalAll(
	ctx context.Context, session holdfast.SessionID, tasks []holdfast.TaskID, beat wire.Heartbeat, done func(holdfast.TaskID, bool),
) error {
	var mu sync.Mutex // protects errs
	var errs []error
	var group errgroup.Group
	group.SetLimit(presenceSignals)
	for _, id := range tasks {
		group.Go(func() error {
			err := p.signal(ctx, session, id, beat)
			done(id, err == nil)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			return nil
		})
	}
	_ = group.Wait()
	return errors.Join(errs...)
}

// signal signals one task. The error is one that may pass: a task that is not there has
// ended, or learns it as it is started, and one that Temporal refuses to signal (it has had
// as many signals as a run may have) asks the state service about its page before it ends
// for want of it.
func (p *presence) signal(ctx context.Context, session holdfast.SessionID, id holdfast.TaskID, beat wire.Heartbeat) error {
	select {
	case p.signals <- struct{}{}:
		defer func() { <-p.signals }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := p.starter.opts.Temporal.SignalWorkflow(ctx, string(id), "", wire.SessionHeartbeat, beat)
	switch {
	case err == nil, isNotFound(err):
		return nil
	case classify(err) == classRefused:
		p.starter.metrics.heartbeatRefused(ctx, session.App())
		p.starter.log.WarnContext(ctx, "Temporal refuses a signal to a task; it is not repeated", "session", session, "task", id, "err", err)
		return nil
	}
	return fmt.Errorf("signal task %s: %w", id, err)
}

// signalListeners signals all tasks of the session that listen.
func (p *presence) signalListeners(ctx context.Context, session holdfast.SessionID, beat wire.Heartbeat) error {
	tasks, err := p.read(ctx, session)
	if err != nil {
		return err
	}
	return p.signalAll(ctx, session, tasks, beat, func(holdfast.TaskID, bool) {})
}

// correct tells the session's tasks in the name of a starter whether that one holds a
// connection, if it is not what they were told. It looks again after it has told them:
// should the starter change its mind after that, its own word comes after this one.
func (p *presence) correct(ctx context.Context, session holdfast.SessionID, starter string, told bool) error {
	for {
		present, err := p.starter.opts.State.Presence(ctx, session)
		if err != nil {
			return err
		}
		there := slices.Contains(present, starter)
		if there == told {
			return nil
		}
		if err := p.signalListeners(ctx, session, wire.Heartbeat{Starter: starter, Connected: there}); err != nil {
			return err
		}
		told = there
	}
}
