package starter

import (
	"context"
	"time"

	"github.com/holdfast-run/holdfast/state"
)

const (
	// relayBatch is how many rows the relay reads from the outbox at first. It reads twice as
	// many until it has seen all, so that rows that wait hide no others; relayMost is the end.
	relayBatch = 1000
	relayMost  = 64 * relayBatch
	// relaySessions is how many sessions have a turn at the same time.
	relaySessions = 16
	// relayLook is how often it reads without a notice, in case one was lost.
	relayLook = 5 * time.Second
	// relaySlow is how long a reading takes after which the next one does not follow at once.
	relaySlow = 20 * time.Millisecond
	// relayRetry is how soon it tries again when Temporal or the state is away.
	relayRetry = time.Second
)

// relay does what the outbox asks for. Any number of relays may run: each row can be done twice to the same effect.
//
// A starter has one for each lane, since what needs Temporal must not keep waiting what does not.
// One goroutine reads the outbox and hands the rows to turns, which does them.
type relay struct {
	starter  *Starter
	lane     lane
	backoffs backoffs
	turns    turns
	limit    int // how many rows the last reading asked for; used by run alone
}

// lane is what one relay does.
type lane int

const (
	// laneTasks starts and cancels tasks, which needs Temporal. Starts that follow each other are made side by side: their order says
	// nothing, as the tasks run side by side.
	laneTasks lane = iota
	// laneEvents triggers events, those of a session in their order, and runs what tasks that were lost had left to the end.
	laneEvents
	lanes
)

// has reports whether rows of this kind are done in this lane. A kind that is in none is a newer program's, which will do it.
func (l lane) has(kind state.Kind) bool {
	switch kind {
	case state.KindStart, state.KindCancel:
		return l == laneTasks
	case state.KindTrigger, state.KindFinally:
		return l == laneEvents
	default:
		return false
	}
}

func newRelay(s *Starter, l lane) *relay {
	r := &relay{starter: s, lane: l, limit: relayBatch}
	r.turns.relay = r
	r.turns.init()
	return r
}

// run relays until ctx ends, and then waits for what is under way.
func (r *relay) run(ctx context.Context) {
	defer r.turns.running.Wait()
	for ctx.Err() == nil {
		changed := r.starter.opts.State.OutboxChanged() // before the reading, to miss nothing
		began := time.Now()
		if err := r.read(ctx); err != nil && ctx.Err() == nil {
			r.starter.log.WarnContext(ctx, "reading the outbox failed; trying again", "err", err)
			wait(ctx, relayRetry)
			continue
		}
		if took := time.Since(began); took > relaySlow {
			wait(ctx, took) // at most half of the time goes into reading
		}
		r.pause(ctx, changed)
	}
}

// pause waits until it is time to read again.
func (r *relay) pause(ctx context.Context, changed <-chan struct{}) {
	until := time.Now().Add(relayLook)
	for {
		r.turns.resume(ctx)
		now := time.Now()
		until = now.Add(min(until.Sub(now), r.backoffs.pause(r.turns.lastRead(), now), r.turns.pause(now)))
		timer := time.NewTimer(until.Sub(now))
		select {
		case <-changed:
		case <-r.turns.empty:
		case <-timer.C:
		case <-ctx.Done():
		case <-r.turns.failed: // something has to wait: find out for how long
			timer.Stop()
			continue
		}
		timer.Stop()
		return
	}
}

// read reads the whole outbox and hands on what is to be done. It hands on each part as soon
// as it has it.
func (r *relay) read(ctx context.Context) error {
	r.turns.beginReading()
	for limit := r.limit; ; limit = min(2*limit, relayMost) {
		rows, err := r.starter.opts.State.Outbox(ctx, limit)
		if err != nil {
			r.turns.readingFailed()
			return err
		}
		r.turns.add(ctx, r.mine(rows), len(rows) < limit || limit >= relayMost)
		if len(rows) < limit {
			r.backoffs.keep(rows)
			r.limit = relayBatch
			for r.limit <= len(rows) {
				r.limit *= 2
			}
			return nil
		}
		if limit >= relayMost {
			return nil
		}
	}
}

// mine are the rows of this lane and of this starter's apps.
func (r *relay) mine(rows []state.Pending) []state.Pending {
	mine := rows[:0]
	for i := range rows {
		if r.starter.apps[rows[i].App] != nil && r.lane.has(rows[i].Kind) {
			mine = append(mine, rows[i])
		}
	}
	return mine
}

// earlier is the earlier of two times, of which the first may be zero, which is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// do does some rows of one session that belong together: starts, or one row of another kind.
func (r *relay) do(ctx context.Context, rows []state.Pending) (result, error) {
	row := rows[0]
	switch row.Kind {
	case state.KindStart:
		return r.startAll(ctx, row.Session, rows)
	case state.KindCancel:
		return r.cancel(ctx, row)
	case state.KindFinally:
		return r.finally(ctx, row)
	default:
		return r.trigger(ctx, row)
	}
}

// result is what became of a row.
type result int

const (
	// resultDone: the row is done, or has its own time to be tried again, and the next may be done.
	resultDone result = iota
	// resultWaits: the row has to wait, and in a lane that keeps the order those behind it too.
	resultWaits
)

// retry has a row wait that failed for a reason of its own.
func (r *relay) retry(ctx context.Context, row state.Pending, err error) (result, error) {
	r.scheduleRetry(ctx, row, err)
	return resultWaits, nil
}
