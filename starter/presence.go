package starter

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// presenceBeat is how often the presence lease is renewed, and how often dead
	// starters are looked for.
	presenceBeat = state.PresenceLease / 4
	// presenceRetry is how soon the starter tries again what a store or a Temporal that
	// is away has refused.
	presenceRetry = time.Second
	// presenceCall bounds one call of the state service about one session.
	presenceCall = 10 * time.Second
	// presenceReturn is how long pages that were sent away have to come back, here or
	// elsewhere, once this starter has a lease again. The client makes an attempt at
	// least every five seconds.
	presenceReturn = 10 * time.Second
)

// presence tells the tasks of each session whether a page of it is connected to this
// starter: at once when that changes, and now and then while it does not. It also speaks
// for starters that have died.
//
// When the starter is closed it says nothing: pages reconnect, here or elsewhere, well
// before the lease lapses and another starter says that this one has gone.
type presence struct {
	starter *Starter
	id      string // of this starter, new for each process
	signals chan struct{}

	graves   graves
	renewing sync.Mutex // held by the one renewal of the lease at a time
	mu       sync.Mutex // protects lease, and sessions and what is in it
	lease    lease
	sessions map[holdfast.SessionID]*connState
}

// connState is what this starter knows of one session.
type connState struct {
	pages   map[*pageConn]struct{} // its connections
	working bool                   // a goroutine is about to say what is not said
	changed chan struct{}          // holds a token after a change, for that goroutine

	noted state.PresenceState // in the state service; noteUnknown after a failure
	said  bool                // that there are connections, to all tasks
	dirty bool                // some tasks may have heard something else
	heard map[holdfast.TaskID]bool
	known []holdfast.TaskID // the tasks that listen, as they were listed last
	flaps flaps
	beat  time.Time // when to tell again
}

// noteUnknown is the state of a note that may have been changed.
const noteUnknown state.PresenceState = "unknown"

// pageConn is one connection; end ends it.
type pageConn struct{ end func(error) }

func newPresence(s *Starter) *presence {
	return &presence{
		starter: s, id: strings.ToLower(rand.Text())[:12], signals: make(chan struct{}, presenceSignals),
		sessions: map[holdfast.SessionID]*connState{},
	}
}

// arrive notes a connection, which end ends. The returned function notes that it has
// ended.
func (p *presence) arrive(session holdfast.SessionID, end func(error)) (leave func()) {
	one := &pageConn{end}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.sessions[session]
	if a == nil {
		a = &connState{pages: map[*pageConn]struct{}{}, changed: make(chan struct{}, 1), heard: map[holdfast.TaskID]bool{}}
		p.sessions[session] = a
	}
	a.pages[one] = struct{}{}
	p.settle(session, a)
	if p.lease.left {
		end(errStoreAway) // it came as the others were sent away
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(a.pages, one)
		p.settle(session, a)
	}
}

// settle has a change of the session said. It requires p.mu.
func (p *presence) settle(session holdfast.SessionID, a *connState) {
	select {
	case a.changed <- struct{}{}:
	default:
	}
	if !a.working && p.unsaid(a) {
		a.working = true
		p.starter.spawn(func() { p.work(session, a) })
	}
}

// there reports that the session has a connection. It requires presence.mu.
func (a *connState) there() bool { return len(a.pages) > 0 }

// unsaid reports that store or tasks have not heard what is so now. Of pages that were
// sent away nothing is said: they are about to come back, here or elsewhere. It requires
// p.mu.
func (p *presence) unsaid(a *connState) bool {
	if p.lease.left && !a.there() {
		return false
	}
	noted := state.PresenceNone
	if a.there() {
		noted = state.PresenceConnected
	}
	return a.dirty || a.said != a.there() || a.noted != noted
}

// work says what is so, one change after the other, until all is said. A change that is
// undone while it waits is never said.
func (p *presence) work(session holdfast.SessionID, a *connState) {
	ctx := p.starter.ctx
	for ctx.Err() == nil {
		p.mu.Lock()
		there := a.there()
		if !p.unsaid(a) {
			a.working = false
			p.mu.Unlock()
			return
		}
		var hold time.Duration
		if !there {
			hold = a.flaps.hold(time.Now())
		}
		p.mu.Unlock()
		if hold > 0 {
			a.wait(ctx, hold)
			continue
		}
		if err := p.say(ctx, session, a, there); err != nil && ctx.Err() == nil {
			p.starter.log.WarnContext(ctx, "telling a session's tasks of its connections failed; trying again", "session", session, "err", err)
			a.wait(ctx, presenceRetry)
		}
	}
}

// wait waits for a change, at most for so long.
func (a *connState) wait(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-a.changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// say notes in the state service what is so, and then tells the tasks: those that are
// started meanwhile are told by relay.started. A note that the page is leaving stays
// until all tasks know, so that others tell them if this starter dies.
func (p *presence) say(ctx context.Context, session holdfast.SessionID, a *connState, there bool) error {
	p.mu.Lock()
	a.dirty = true
	p.mu.Unlock()
	beat := wire.Heartbeat{Starter: p.id, Connected: there}
	var cached error
	if p.storeAway() { // the tasks must not wait for it
		cached = p.tell(ctx, session, a, p.knownTasks(a), beat)
	}
	is := state.PresenceLeaving
	if there {
		is = state.PresenceConnected
	}
	if err := p.note(ctx, session, a, is); err != nil {
		return errors.Join(cached, err)
	}
	tasks, err := p.listeners(ctx, session, a)
	if err != nil {
		return errors.Join(cached, err)
	}
	if err := p.tell(ctx, session, a, tasks, beat); err != nil {
		return err
	}
	if !there {
		if err := p.note(ctx, session, a, state.PresenceNone); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a.said, a.dirty, a.beat = there, false, p.nextBeat()
	a.flaps.said(there, time.Now())
	return nil
}

// note notes in the state service what this starter holds of the session.
func (p *presence) note(ctx context.Context, session holdfast.SessionID, a *connState, is state.PresenceState) error {
	p.mu.Lock()
	same := a.noted == is
	a.noted = noteUnknown
	p.mu.Unlock()
	if !same {
		ctx, cancel := context.WithTimeout(ctx, presenceCall)
		defer cancel()
		if err := p.starter.opts.State.SetPresence(ctx, session, p.id, is); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a.noted = is
	return nil
}

// sayAgain has all that is so said anew. It requires p.mu.
func (p *presence) sayAgain() {
	for session, a := range p.sessions {
		if !a.there() {
			continue
		}
		a.noted, a.dirty = noteUnknown, true
		clear(a.heard)
		p.settle(session, a)
	}
}
