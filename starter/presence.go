package starter

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// presenceBeat is how often the presence lease is renewed, and how often dead starters are looked for.
	presenceBeat = state.PresenceLease / 4
	// presenceBatch is how many sessions of dead starters are taken care of at a time, presenceSignals how many at the same time.
	presenceBatch   = 500
	presenceSignals = 16
	// presenceRetry is how soon a change of presence is told again that could not be told.
	presenceRetry = time.Second
)

// presence tells the tasks of each session whether a page of it is connected to this starter: at once when that changes, and now
// and then while it does not. It also speaks for starters that have died.
//
// When the starter is closed it says nothing: pages reconnect, here or elsewhere, well before the lease lapses and
// somebody says that this starter has gone.
type presence struct {
	starter *Starter
	id      string // of this starter, new for each process

	mu       sync.Mutex // protects sessions and what is in it
	sessions map[holdfast.SessionID]*attendance
	beaten   time.Time // when the lease was renewed last; used by keepLease alone
}

// attendance is what this starter knows of one session.
type attendance struct {
	connections int
	noted       bool      // in the state service, that there are some
	told        bool      // to the tasks, that there are some
	unsure      bool      // telling the tasks failed: some may have heard it
	telling     bool      // a goroutine is about to tell what is not told
	beat        time.Time // when to tell again
}

func newPresence(s *Starter) *presence {
	return &presence{starter: s, id: strings.ToLower(rand.Text())[:12], sessions: map[holdfast.SessionID]*attendance{}}
}

// arrive notes a connection; leave must follow.
func (p *presence) arrive(session holdfast.SessionID) { p.change(session, 1) }

func (p *presence) leave(session holdfast.SessionID) { p.change(session, -1) }

func (p *presence) change(session holdfast.SessionID, by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.sessions[session]
	if a == nil {
		a = &attendance{}
		p.sessions[session] = a
	}
	a.connections += by
	p.settle(session, a)
}

// knows reports that state service and tasks were told so last.
func (a *attendance) knows(there bool) bool { return a.noted == there && a.told == there && !a.unsure }

// settle has it told whether somebody is there, if that is not what was told last. It requires p.mu.
func (p *presence) settle(session holdfast.SessionID, a *attendance) {
	if a.telling {
		return
	}
	if there := a.connections > 0; a.knows(there) {
		if !there {
			delete(p.sessions, session)
		}
		return
	}
	a.telling = true
	p.starter.spawn(func() { p.tellUntilHeard(session, a) })
}

// tellUntilHeard tells the state service and the session's tasks, one change after the other. A connection that comes and goes
// meanwhile is never told of.
func (p *presence) tellUntilHeard(session holdfast.SessionID, a *attendance) {
	for p.starter.ctx.Err() == nil {
		p.mu.Lock()
		there := a.connections > 0
		if a.knows(there) {
			a.telling = false
			p.settle(session, a)
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		if err := p.tell(session, a, there); err != nil {
			if p.starter.ctx.Err() == nil {
				p.starter.log.WarnContext(p.starter.ctx, "telling a session's tasks of its connections failed; trying again", "session", session, "err", err)
			}
			wait(p.starter.ctx, presenceRetry)
		}
	}
}

// tell tells the state service, and then the tasks: those that are started meanwhile are told by relay.started.
func (p *presence) tell(session holdfast.SessionID, a *attendance, there bool) error {
	if err := p.starter.opts.State.Present(p.starter.ctx, session, p.id, there); err != nil {
		return err
	}
	p.mu.Lock()
	a.noted = there
	p.mu.Unlock()
	err := p.signal(p.starter.ctx, session, wire.Heartbeat{Starter: p.id, Connected: there})
	p.mu.Lock()
	defer p.mu.Unlock()
	a.unsure = err != nil
	if err == nil {
		a.told, a.beat = there, p.nextBeat()
	}
	return err
}

// signal signals those of the session's tasks that are bound to their page, by the options that they were asked for with.
func (p *presence) signal(ctx context.Context, session holdfast.SessionID, beat wire.Heartbeat) error {
	if p.starter.apps[session.App()] == nil {
		return nil // another starter serves it
	}
	tasks, err := p.starter.opts.State.TasksOf(ctx, session)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		if !t.Bound || !t.Live() {
			continue
		}
		err = p.starter.opts.Temporal.SignalWorkflow(ctx, string(t.ID), "", wire.SessionHeartbeat, beat)
		if err != nil && !isNotFound(err) { // it has ended, or has not been started yet
			return fmt.Errorf("signal task %s: %w", t.ID, err)
		}
	}
	return nil
}

// correct tells the session's tasks in the name of a starter whether that still holds a connection, if it is not what they were
// told. It looks again after it has told them: should the starter change its mind after that, its own word comes after this one.
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
		if err := p.signal(ctx, session, wire.Heartbeat{Starter: starter, Connected: there}); err != nil {
			return err
		}
		told = there
	}
}

// keepLease renews the lease until ctx ends. It waits for nothing but the state: a starter whose way to Temporal is cut lives, and
// its pages are there.
func (p *presence) keepLease(ctx context.Context) {
	for ctx.Err() == nil {
		if err := p.renew(ctx); err != nil && ctx.Err() == nil {
			p.starter.log.WarnContext(ctx, "renewing the presence lease failed; trying again", "err", err)
		}
		wait(ctx, presenceBeat)
	}
}

// beat beats slowly for sessions that are connected, until ctx ends.
func (p *presence) beat(ctx context.Context) {
	for wait(ctx, presenceBeat) {
		p.beatAll(ctx)
	}
}

// mourn speaks for starters that have died, until ctx ends.
func (p *presence) mourn(ctx context.Context) {
	for wait(ctx, presenceBeat) {
		if err := p.speakForTheDead(ctx); err != nil && ctx.Err() == nil {
			p.starter.log.WarnContext(ctx, "telling tasks of a starter that died failed; trying again", "err", err)
		}
	}
}

// renew renews the lease. Had it lapsed, as that of a machine that slept, others may have said that this starter is gone: it says
// again who is here.
func (p *presence) renew(ctx context.Context) error {
	if err := p.starter.opts.State.Beat(ctx, p.id); err != nil {
		return err
	}
	now := time.Now()
	lapsed := !p.beaten.IsZero() && now.Sub(p.beaten) > state.PresenceLease-presenceBeat
	p.beaten = now
	if !lapsed {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for session, a := range p.sessions {
		if a.connections > 0 {
			a.noted, a.told = false, false
			p.settle(session, a)
		}
	}
	return nil
}

// beatAll tells the tasks of connected sessions that they still are, each now and then. What fails is soon tried again: tasks that
// heard nothing over a long outage of Temporal are about to take their pages for gone.
func (p *presence) beatAll(ctx context.Context) {
	var mu sync.Mutex // protects failed and last
	var failed int
	var last error
	var group errgroup.Group
	group.SetLimit(presenceSignals)
	for session, a := range p.due() {
		group.Go(func() error {
			if err := p.signal(ctx, session, wire.Heartbeat{Starter: p.id, Connected: true}); err != nil {
				p.beatAgain(a)
				mu.Lock()
				defer mu.Unlock()
				failed, last = failed+1, err
			}
			return nil
		})
	}
	_ = group.Wait()
	if failed > 0 && ctx.Err() == nil { // one line for all: they fail together
		p.starter.log.WarnContext(ctx, "heartbeats failed; trying again", "sessions", failed, "err", last)
	}
}

// beatAgain has the session be due at once.
func (p *presence) beatAgain(a *attendance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.beat = time.Time{}
}

// due are the sessions whose tasks are to be told again.
func (p *presence) due() map[holdfast.SessionID]*attendance {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	sessions := map[holdfast.SessionID]*attendance{}
	for session, a := range p.sessions {
		if a.told && !a.telling && now.After(a.beat) {
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
	return time.Now().Add(interval + mathrand.N(interval/part+1)) //nolint:gosec // no secret
}

// speakForTheDead tells the tasks of sessions that were connected to a starter whose lease has lapsed.
func (p *presence) speakForTheDead(ctx context.Context) error {
	for {
		lapsed, err := p.starter.opts.State.Lapsed(ctx, presenceBatch)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(lapsed, func(a state.Absent) bool { return a.Starter == p.id }) {
			return nil // it has been away itself: whether others are is to be seen when its lease is renewed
		}
		var group errgroup.Group
		group.SetLimit(presenceSignals)
		for _, a := range lapsed {
			group.Go(func() error {
				if err := p.correct(ctx, a.Session, a.Starter, true); err != nil {
					return err
				}
				return p.starter.opts.State.Present(ctx, a.Session, a.Starter, false)
			})
		}
		if err := group.Wait(); err != nil || len(lapsed) < presenceBatch {
			return err //nolint:wrapcheck // wrapped where it happened
		}
	}
}
