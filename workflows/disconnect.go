package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// ErrDisconnected is the cause of a task's end whose page has been gone for longer than its grace period.
var ErrDisconnected = errors.New("no page of the session is connected")

// Cause says why the task's context has ended: an error that wraps [ErrDisconnected] if the page has gone, a *temporal.CanceledError
// if the task was cancelled, nil if it has not ended. It is to a task what context.Cause is to a goroutine.
func Cause(ctx workflow.Context) error {
	if r, ok := ctx.Value(runKey{}).(*run); ok && r.cause != nil {
		return r.cause
	}
	return ctx.Err()
}

// watcher ends a task when no page of its session has been connected for the grace period.
//
// It hears of connections by signals: one from each starter at each change and, as a backstop, one now and then. A starter that is not
// heard of for the time to live counts as disconnected. There is one timer, for the next moment at which something could be
// due: it is not restarted for each signal, but looks again when it fires.
type watcher struct {
	run   *run
	in    wire.Disconnect
	state wire.Presence
	timer workflow.Future
	stop  workflow.CancelFunc // of the timer
	fires time.Time           // when the timer does

	signals int             // that the run has received
	full    workflow.Future // done when there are many
	fill    workflow.Settable
}

// Temporal accepts 10,000 signals for one run and refuses the rest. The starters send a handful a minute at most.
const (
	// manySignals is when a pause continues as new.
	manySignals = 2000
	// deafSignals is when a run that cannot continue as new, as it waits for a long Step, begins to take silence for presence:
	// the page may be there although no signal arrives any more. A starter cancels what it cannot signal.
	deafSignals = 9000
)

// watch begins to watch.
func (r *run) watch(ctx workflow.Context, in *wire.Disconnect) {
	if in == nil {
		return
	}
	w := &watcher{run: r, in: *in}
	w.full, w.fill = workflow.NewFuture(ctx)
	w.begin(workflow.Now(ctx), r.carry.Presence)
	r.watcher = w
	workflow.Go(ctx, func(ctx workflow.Context) {
		for ctx.Err() == nil && (!w.over(workflow.Now(ctx)) || w.connected(ctx)) {
			w.wait(ctx)
		}
		if ctx.Err() != nil {
			return // cancelled for another reason
		}
		r.cause = fmt.Errorf("%w for %s", ErrDisconnected, w.in.Grace)
		r.log(ctx).Info("the task is cancelled", "cause", r.cause)
		r.cancel()
	})
}

// begin takes over what an earlier run of the chain knew, or what was known when the task was started.
func (w *watcher) begin(now time.Time, carried *wire.Presence) {
	if carried != nil {
		w.state = *carried
	}
	if w.state.Beats == nil {
		w.state.Beats = map[string]time.Time{}
	}
	if carried == nil {
		for _, starter := range w.in.Present {
			w.state.Beats[starter] = now
		}
	}
	w.look(now)
}

// over reports that the grace period has passed.
func (w *watcher) over(now time.Time) bool {
	w.look(now)
	return w.state.Gone != nil && !now.Before(w.state.Gone.Add(w.in.Grace))
}

// look forgets starters that were not heard of, and notes since when there is none.
func (w *watcher) look(now time.Time) {
	deaf := w.run.level >= wire.LevelCountsSignals && w.signals >= deafSignals
	for _, starter := range workflow.DeterministicKeys(w.state.Beats) {
		if deaf {
			w.state.Beats[starter] = now
		} else if at := w.state.Beats[starter]; !now.Before(at.Add(w.in.TimeToLive)) {
			delete(w.state.Beats, starter)
		}
	}
	switch {
	case len(w.state.Beats) > 0:
		w.state.Gone = nil
	case w.state.Gone == nil:
		w.state.Gone = &now
	}
}

// due is the next moment at which something could change without a signal.
func (w *watcher) due() time.Time {
	if w.state.Gone != nil {
		return w.state.Gone.Add(w.in.Grace)
	}
	var last time.Time
	for _, starter := range workflow.DeterministicKeys(w.state.Beats) {
		if at := w.state.Beats[starter]; at.After(last) {
			last = at
		}
	}
	return last.Add(w.in.TimeToLive)
}

// wait waits for a signal or the timer.
func (w *watcher) wait(ctx workflow.Context) {
	w.arm(ctx)
	signals := workflow.GetSignalChannel(ctx, wire.SessionHeartbeat)
	selector := workflow.NewSelector(ctx)
	selector.AddReceive(signals, func(workflow.ReceiveChannel, bool) { w.drain(ctx) })
	selector.AddFuture(w.timer, func(workflow.Future) { w.timer = nil })
	selector.AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {})
	selector.Select(ctx)
}

// drain hears every signal that has come.
func (w *watcher) drain(ctx workflow.Context) {
	now := workflow.Now(ctx)
	var beat wire.Heartbeat
	for workflow.GetSignalChannel(ctx, wire.SessionHeartbeat).ReceiveAsync(&beat) {
		if beat.Connected {
			w.state.Beats[beat.Starter] = now
		} else {
			delete(w.state.Beats, beat.Starter)
		}
		beat = wire.Heartbeat{}
		if w.signals++; w.signals == manySignals {
			w.fill.Set(nil, nil)
		}
	}
	w.look(now)
}

// arm sees to it that the timer fires when something is due, or before. A timer that would fire too early is left alone, as it costs
// less to look again, unless more than half of its time is over: then a signal has just made a turn anyway, and to set it anew
// costs two events where its firing would cost four.
func (w *watcher) arm(ctx workflow.Context) {
	now, due := workflow.Now(ctx), w.due()
	if w.timer != nil {
		early := w.fires.Before(due) && w.state.Gone == nil && w.fires.Sub(now) < w.in.TimeToLive/2
		if !due.Before(w.fires) && !early {
			return
		}
		w.stop()
	}
	summary := "until the session counts as disconnected"
	if w.state.Gone != nil {
		summary = "grace period: no page is connected"
	}
	ctx, w.stop = workflow.WithCancel(ctx)
	w.timer = workflow.NewTimerWithOptions(ctx, due.Sub(now), workflow.TimerOptions{Summary: summary})
	w.fires = due
}

// ended is how a task ends that was cancelled because its page has gone: as cancelled, with the cause for the Web UI.
//
// So does one that a section, or a Step's report, was refused to because the task is being cancelled: the state
// service knows that before the cancellation reaches the workflow.
func (r *run) ended(err error) error {
	if r.cause != nil && temporal.IsCanceledError(err) {
		return temporal.NewCanceledError(r.cause.Error()) //nolint:wrapcheck // that is how Temporal knows it
	}
	if refusedAsEnded(err) {
		return temporal.NewCanceledError(err.Error()) //nolint:wrapcheck // as above
	}
	return err
}

// refusedAsEnded reports an error that goes back to [holdfast.ErrTaskEnded], and to no panic.
func refusedAsEnded(err error) bool {
	for {
		app, ok := errors.AsType[*temporal.ApplicationError](err)
		switch {
		case !ok || app.Type() == wire.ErrorPanic:
			return false
		case app.Type() == wire.ErrorTaskEnded:
			return true
		}
		err = app.Unwrap()
	}
}
