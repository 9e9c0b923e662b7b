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
	beaten   time.Time // when the lease was renewed last; used by run alone
}

// attendance is what this starter knows of one session.
type attendance struct {
	connections int
	told        bool      // that there are some
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

// settle has it told whether somebody is there, if that is not what was told last. It requires p.mu.
func (p *presence) settle(session holdfast.SessionID, a *attendance) {
	if a.telling {
		return
	}
	if there := a.connections > 0; there == a.told {
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
		if there == a.told {
			a.telling = false
			p.settle(session, a)
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
		err := p.starter.opts.State.Present(p.starter.ctx, session, p.id, there) // before the tasks are listed: see relay.started
		if err == nil {
			err = p.signal(p.starter.ctx, session, wire.Heartbeat{Starter: p.id, Connected: there})
		}
		if err != nil {
			if p.starter.ctx.Err() == nil {
				p.starter.log.WarnContext(p.starter.ctx, "telling a session's tasks of its connections failed; trying again", "session", session, "err", err)
			}
			wait(p.starter.ctx, presenceRetry)
			continue
		}
		p.mu.Lock()
		a.told, a.beat = there, p.nextBeat()
		p.mu.Unlock()
	}
}

// signal signals those of the session's tasks that mind.
func (p *presence) signal(ctx context.Context, session holdfast.SessionID, beat wire.Heartbeat) error {
	app := p.starter.apps[session.App()]
	if app == nil {
		return nil // another starter serves it
	}
	tasks, err := p.starter.opts.State.TasksOf(ctx, session)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		task, err := app.NamedTask(t.Name)
		if err != nil || !t.Live() || task.Options().OnDisconnect == holdfast.ContinueOnDisconnect {
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

// run renews the lease, beats slowly for sessions that are connected, and speaks for starters that have died, until ctx ends.
func (p *presence) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := p.renew(ctx); err != nil && ctx.Err() == nil {
			p.starter.log.WarnContext(ctx, "renewing the presence lease failed; trying again", "err", err)
		}
		p.beatAll(ctx)
		if err := p.speakForTheDead(ctx); err != nil && ctx.Err() == nil {
			p.starter.log.WarnContext(ctx, "telling tasks of a starter that died failed; trying again", "err", err)
		}
		wait(ctx, presenceBeat)
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
		a.told = false
		p.settle(session, a)
	}
	return nil
}

// beatAll tells the tasks of connected sessions that they still are, each now and then.
func (p *presence) beatAll(ctx context.Context) {
	var group errgroup.Group
	group.SetLimit(presenceSignals)
	for _, session := range p.due() {
		group.Go(func() error {
			if err := p.signal(ctx, session, wire.Heartbeat{Starter: p.id, Connected: true}); err != nil && ctx.Err() == nil {
				p.starter.log.WarnContext(ctx, "a heartbeat failed; the next one will do", "session", session, "err", err)
			}
			return nil
		})
	}
	_ = group.Wait()
}

// due are the sessions whose tasks are to be told again.
func (p *presence) due() (sessions []holdfast.SessionID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for session, a := range p.sessions {
		if a.told && !a.telling && now.After(a.beat) {
			a.beat = p.nextBeat()
			sessions = append(sessions, session)
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
