package starter

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// relayBatch is how many rows the relay reads from the outbox at a time, relayMost how many it looks through for rows that it can
	// do, where all others are another starter's or have to wait.
	relayBatch = 1000
	relayMost  = 64 * relayBatch
	// relaySessions is how many sessions' rows it does at the same time.
	relaySessions = 16
	// relayLook is how often it looks without being told, in case a notice was lost.
	relayLook = 5 * time.Second
	// relayRetry is how soon it tries again when Temporal or the state is away.
	relayRetry = time.Second
)

// relay does what the outbox asks for. Any number of relays may run: each row can be done twice to the same effect.
//
// A starter has one for each lane, since what needs Temporal must not keep waiting what does not.
type relay struct {
	starter  *Starter
	lane     lane
	setbacks setbacks
	read     time.Time // when the outbox was read last; used by run alone
	oldest   time.Time // of what it had, for this lane
}

// lane is what one relay does.
type lane int

const (
	// laneTasks starts and cancels tasks, which needs Temporal. Starts that follow each other are made side by side: their order says
	// nothing, as the tasks run side by side.
	laneTasks lane = iota
	// laneEvents triggers events, those of a session in their order.
	laneEvents
	lanes
)

// has reports whether rows of this kind are done in this lane. A kind that is in none is a newer program's, which will do it.
func (l lane) has(kind state.Kind) bool {
	switch kind {
	case state.KindStart, state.KindCancel:
		return l == laneTasks
	case state.KindTrigger:
		return l == laneEvents
	default:
		return false
	}
}

// run relays until ctx ends.
func (r *relay) run(ctx context.Context) {
	r.read = time.Now()
	for ctx.Err() == nil {
		changed := r.starter.opts.State.OutboxChanged() // before the reading, to miss nothing
		err := r.drain(ctx)
		pause := min(relayLook, r.setbacks.pause(time.Now()))
		if err != nil && ctx.Err() == nil {
			r.starter.log.WarnContext(ctx, "doing what the outbox asks for failed; trying again", "err", err)
			pause, changed = relayRetry, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// drain does all that is in the outbox. The error is that of a store or a Temporal that is away; a row that fails for a reason of its own
// waits and keeps no other one waiting.
func (r *relay) drain(ctx context.Context) error {
	for limit := relayBatch; ; {
		pending, err := r.starter.opts.State.Outbox(ctx, limit)
		if err != nil {
			r.starter.metrics.waiting(r.lane, earlier(r.oldest, r.read)) // what has come since is not known
			return err
		}
		work := r.sorted(pending)
		r.read, r.oldest = time.Now(), work.oldest
		r.starter.metrics.waiting(r.lane, work.oldest)
		if err := r.doSessions(ctx, work.rows); err != nil {
			return err
		}
		r.oldest = work.stuck
		r.starter.metrics.waiting(r.lane, work.stuck)
		switch {
		case len(pending) < limit:
			r.setbacks.keep(pending)
			return nil
		case len(work.rows) > 0: // and what comes after them
		case limit < relayMost:
			limit *= 2 // past what is not ours
		default:
			return nil
		}
	}
}

// work is what a relay finds to do.
type work struct {
	rows   map[holdfast.SessionID][]state.Pending // in the order of each session
	oldest time.Time                              // of all rows of this lane and this starter's apps
	stuck  time.Time                              // the same of those that failed and have to wait
}

// sorted are the rows that are this relay's to do now.
func (r *relay) sorted(pending []state.Pending) work {
	w := work{rows: map[holdfast.SessionID][]state.Pending{}}
	behind := map[holdfast.SessionID]bool{} // sessions of which one event has to wait, and so all that follow
	now := time.Now()
	for _, p := range pending {
		if r.starter.apps[p.App] == nil || !r.lane.has(p.Kind) {
			continue
		}
		w.oldest = earlier(w.oldest, p.At)
		if behind[p.Session] || r.setbacks.waits(p.ID, now) {
			w.stuck = earlier(w.stuck, p.At)
			behind[p.Session] = r.lane == laneEvents
			continue
		}
		w.rows[p.Session] = append(w.rows[p.Session], p)
	}
	return w
}

// earlier is the earlier of two times, of which the first may be zero, which is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// doSessions does the rows of each session in their order, sessions side by side.
func (r *relay) doSessions(ctx context.Context, rows map[holdfast.SessionID][]state.Pending) error {
	var group errgroup.Group
	group.SetLimit(relaySessions)
	for session, rows := range rows {
		group.Go(func() error { return r.doAll(ctx, session, rows) })
	}
	return group.Wait() //nolint:wrapcheck // wrapped where it happened
}

func (r *relay) doAll(ctx context.Context, session holdfast.SessionID, rows []state.Pending) error {
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(p state.Pending) bool { return p.Kind != state.KindStart })
		if n < 0 {
			n = len(rows)
		}
		if n > 0 {
			if err := r.startAll(ctx, session, rows[:n]); err != nil {
				return err
			}
			rows = rows[n:]
			continue
		}
		again, err := r.doOne(ctx, rows[0])
		if err != nil || again {
			return err
		}
		rows = rows[1:]
	}
	return nil
}

// doOne cancels a task or triggers an event. It reports whether the row has to wait, and those that follow it with it.
func (r *relay) doOne(ctx context.Context, row state.Pending) (again bool, err error) {
	do := r.trigger
	if row.Kind == state.KindCancel {
		do = r.cancel
	}
	err = do(ctx, row)
	if isOwnFault(err) {
		r.blame(ctx, row, err)
		return r.lane == laneEvents, nil
	}
	return false, err
}
