package starter

import (
	"context"
	"time"

	"github.com/coder/websocket"

	"github.com/holdfast-run/holdfast/state"
)

// presenceMargin is how long before its lease ends a starter that cannot renew it sends
// its pages away.
const presenceMargin = presenceBeat

// errStoreAway ends the connections of a starter that has lost the state service where
// others may have it.
var errStoreAway = &fault{code: websocket.StatusGoingAway, reason: "this server has lost its store; another one may have it"}

// lease is what a starter knows of its own presence lease. It is protected by
// presence.mu; times are of this process.
type lease struct {
	term    int64
	others  int       // other starters with a lease, at the last renewal
	renewed time.Time // when the last renewal that succeeded began; zero: none has
	since   time.Time // since when none has failed, been late, or found the lease lapsed
	failed  bool      // the last renewal has
	left    bool      // the pages were sent away, and none is accepted
}

// keepLease renews the lease until ctx ends. It waits for nothing but the state service:
// a starter whose way to Temporal is cut lives, and its pages are there.
func (p *presence) keepLease(ctx context.Context) {
	for ctx.Err() == nil {
		pause := presenceBeat
		if err := p.renew(ctx); err != nil && ctx.Err() == nil {
			p.starter.log.WarnContext(ctx, "renewing the presence lease failed; trying again", "err", err)
			pause = p.withoutLease(time.Now())
		}
		wait(ctx, pause)
	}
}

// renew renews the lease. Had it lapsed, others may have said that this starter is gone:
// it says again who is here.
func (p *presence) renew(ctx context.Context) error {
	p.renewing.Lock()
	defer p.renewing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, p.renewTimeout(time.Now()))
	defer cancel()
	began := time.Now()
	renewed, err := p.starter.opts.State.RenewLease(ctx, p.id)
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.lease
	if err != nil {
		l.failed = true
		return err
	}
	lapsed := renewed.Term != l.term
	if lapsed || l.failed || late(l.renewed, now) {
		l.since = now
	}
	l.term, l.others, l.renewed, l.failed = renewed.Term, renewed.Others, began, false
	if lapsed {
		p.sayAgain()
	}
	if l.left {
		p.comeBack(now)
	}
	return nil
}

// late reports that a lease of this age, or nearly so, may have lapsed for a starter
// whose renewal came a bit earlier. The monotonic clock stops while a machine sleeps, the
// other one does not.
func late(renewed, now time.Time) bool {
	const most = 2 * presenceBeat
	return now.Sub(renewed) > most || now.Round(0).Sub(renewed.Round(0)) > most
}

// renewTimeout bounds a renewal, so that the pages can still be sent away in time.
func (p *presence) renewTimeout(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	until := p.lease.renewed.Add(state.PresenceLease - presenceMargin).Sub(now)
	if until <= 0 {
		return presenceBeat
	}
	return min(presenceBeat, until)
}

// withoutLease sends the pages away, if it is time and another starter may take them, and
// returns how long to wait before the next attempt to renew. A starter that is alone
// keeps its pages: no other one declares it dead, and nowhere else are they served.
func (p *presence) withoutLease(now time.Time) (pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := &p.lease
	if l.left || l.others == 0 || l.renewed.IsZero() {
		return presenceRetry
	}
	if until := l.renewed.Add(state.PresenceLease - presenceMargin).Sub(now); until > 0 {
		return min(presenceRetry, until)
	}
	l.left = true
	p.starter.log.WarnContext(p.starter.ctx, "the state service is away and the presence lease ends; sending the pages to other starters")
	for _, a := range p.sessions {
		for one := range a.pages {
			one.end(errStoreAway)
		}
	}
	return presenceRetry
}

// comeBack accepts pages again. Those that were sent away have some time to come back
// before it is said that they have left. It requires p.mu.
func (p *presence) comeBack(now time.Time) {
	p.lease.left = false
	for session, a := range p.sessions {
		if !a.there() {
			a.flaps.wait(now, presenceReturn)
			p.settle(session, a)
		}
	}
}

// refuses reports that pages are to go to another starter.
func (p *presence) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lease.left
}

// storeAway reports that the state service is not to be counted on.
func (p *presence) storeAway() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lease.failed
}

// trusted reports that this starter has renewed its lease without interruption for so
// long that every starter which lives has renewed its own meanwhile: who has no lease now
// is dead, or cut off from the store for a whole lease.
func (p *presence) trusted(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lease
	return !l.renewed.IsZero() && !l.failed && !late(l.renewed, now) && now.Sub(l.since) >= state.PresenceLease
}
