package starter

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
)

// beat beats slowly for sessions that are connected, until ctx ends. What fails is tried
// again at once: tasks that heard nothing over a long outage of Temporal are about to ask
// for their pages.
func (p *presence) beat(ctx context.Context) {
	for pause := presenceBeat; wait(ctx, pause); {
		pause = presenceBeat
		if failed := p.beatAll(ctx); failed {
			pause = presenceRetry
		}
		p.forget(time.Now())
	}
}

// beatAll tells the tasks of connected sessions that they still are, each now and then.
func (p *presence) beatAll(ctx context.Context) (failed bool) {
	var mu sync.Mutex // protects sessions and last
	var sessions int
	var last error
	var group errgroup.Group
	group.SetLimit(presenceSignals)
	for session, a := range p.due() {
		group.Go(func() error {
			if err := p.beatOne(ctx, session, a); err != nil {
				mu.Lock()
				defer mu.Unlock()
				sessions, last = sessions+1, err
			}
			return nil
		})
	}
	_ = group.Wait()
	if sessions > 0 && ctx.Err() == nil { // one line for all: they fail together
		p.starter.log.WarnContext(ctx, "heartbeats failed; trying again", "sessions", sessions, "err", last)
	}
	return sessions > 0
}

// beatOne tells the tasks of one session. While the store is away it tells those that it
// knows of.
func (p *presence) beatOne(ctx context.Context, session holdfast.SessionID, a *connState) error {
	tasks := p.knownTasks(a)
	if !p.storeAway() {
		if listed, err := p.listeners(ctx, session, a); err == nil {
			tasks = listed
		}
	}
	beat := wire.Heartbeat{Starter: p.id, Connected: true}
	err := p.signalAll(ctx, session, tasks, beat, func(holdfast.TaskID, bool) {})
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		a.beat = time.Time{} // due at once
	}
	return err
}

// due are the sessions whose tasks are to be told again.
func (p *presence) due() map[holdfast.SessionID]*connState {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	sessions := map[holdfast.SessionID]*connState{}
	for session, a := range p.sessions {
		if a.there() && a.said && !a.working && now.After(a.beat) {
			a.beat = p.nextBeat()
			sessions[session] = a
		}
	}
	return sessions
}

// nextBeat spreads the beats of sessions that came at the same time.
func (p *presence) nextBeat() time.Time {
	interval := p.starter.opts.HeartbeatInterval
	const part = 20
	return time.Now().Add(interval + rand.N(interval/part+1)) //nolint:gosec // no secret
}

// forget forgets sessions whose pages have been gone for a while.
func (p *presence) forget(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for session, a := range p.sessions {
		if !a.there() && !a.working && !p.unsaid(a) && !p.lease.left && a.flaps.forgotten(now) {
			delete(p.sessions, session)
		}
	}
}
