package starter

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

// reapBatch is how many notes of dead starters are read at first, reapMost how many where
// the first ones are of apps that this starter does not serve.
const (
	reapBatch = 500
	reapMost  = 64 * reapBatch
)

// graves are notes of starters about which tasks may have heard that they are gone, and
// which are not removed. It is safe for concurrent use.
type graves struct {
	mu   sync.Mutex // protects open
	open map[state.Presence]bool
}

func (g *graves) set(n state.Presence, open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = map[state.Presence]bool{}
	}
	if open {
		g.open[n] = true
	} else {
		delete(g.open, n)
	}
}

func (g *graves) all() (open []state.Presence) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n := range g.open {
		open = append(open, n)
	}
	return open
}

// reap speaks for starters that have died, until ctx ends.
func (p *presence) reap(ctx context.Context) {
	for wait(ctx, presenceBeat) {
		if err := p.reapDeadStarters(ctx); err != nil && ctx.Err() == nil {
			p.starter.log.WarnContext(ctx, "telling tasks of a starter that died failed; trying again", "err", err)
		}
	}
}

// reapDeadStarters tells the tasks of sessions that were connected to a starter which has
// no lease any more, or which such a starter was about to tell, and removes its notes.
func (p *presence) reapDeadStarters(ctx context.Context) error {
	if err := p.reopen(ctx); err != nil {
		return err
	}
	for limit := reapBatch; p.trusted(time.Now()); {
		lapsed, err := p.starter.opts.State.Lapsed(ctx, limit)
		if err != nil {
			return err
		}
		// A store that stopped for a while has let the leases of all lapse: this
		// starter's renewal, too, is late then.
		if err := p.renew(ctx); err != nil || !p.trusted(time.Now()) {
			return err
		}
		own := p.own(lapsed)
		if err := p.each(ctx, own, p.bury); err != nil || len(lapsed) < limit {
			return err
		}
		if len(own) == 0 {
			if limit *= 2; limit > reapMost {
				return nil
			}
		}
	}
	return nil
}

// own are the notes about sessions of this starter's apps.
func (p *presence) own(lapsed []state.Presence) (own []state.Presence) {
	for _, n := range lapsed {
		if p.starter.apps[n.Session.App()] != nil && n.Starter != p.id {
			own = append(own, n)
		}
	}
	return own
}

func (p *presence) each(ctx context.Context, notes []state.Presence, do func(context.Context, state.Presence) error) error {
	var group errgroup.Group
	group.SetLimit(presenceSignals)
	for _, n := range notes {
		group.Go(func() error { return do(ctx, n) })
	}
	return group.Wait() //nolint:wrapcheck // wrapped where it happened
}

// bury tells the tasks of one session that the starter is gone and removes its note. A
// starter that has come back meanwhile may have told them before: the tasks are told the
// truth after that.
func (p *presence) bury(ctx context.Context, n state.Presence) error {
	p.graves.set(n, true)
	if err := p.signalListeners(ctx, n.Session, wire.Heartbeat{Starter: n.Starter}); err != nil {
		return err
	}
	gone, err := p.starter.opts.State.RemoveLapsed(ctx, n.Session, n.Starter)
	if err != nil {
		return err
	}
	if !gone {
		if err := p.correct(ctx, n.Session, n.Starter, false); err != nil {
			return err
		}
	}
	p.graves.set(n, false)
	return nil
}

// reopen looks again at what was not finished: the starter may have come back, so that it
// is not found any more.
func (p *presence) reopen(ctx context.Context) error {
	return p.each(ctx, p.graves.all(), func(ctx context.Context, n state.Presence) error {
		present, err := p.starter.opts.State.Presences(ctx, n.Session)
		if err != nil {
			return err
		}
		for _, now := range present {
			if now.Starter == n.Starter && now.Lapsed {
				return nil // it is found
			}
		}
		if err := p.correct(ctx, n.Session, n.Starter, false); err != nil {
			return err
		}
		p.graves.set(n, false)
		return nil
	})
}
