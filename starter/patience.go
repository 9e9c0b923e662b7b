package starter

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/holdfast-run/holdfast"
)

const (
	// freeRefusals is how many refused connections of an address cost it nothing. One is forgotten each second.
	freeRefusals = 5
	// refusalStep is the pause for each one more, up to Options.RefusalPause.
	refusalStep = 50 * time.Millisecond
	// maxKept is how many addresses, and sessions, are kept in mind.
	maxKept = 10_000
)

// patience has an address whose connections were refused again and again wait before its next handshake. Connections that are open
// are not touched: the address may be a proxy's.
type patience struct {
	most time.Duration

	mu      sync.Mutex // protects refused
	refused map[string]refusals
}

// refusals are how many an address has had at a time.
type refusals struct {
	count float64
	at    time.Time
}

// now is what is left of them.
func (r refusals) now(now time.Time) float64 { return max(0, r.count-now.Sub(r.at).Seconds()) }

// note counts a connection of the address that was refused.
func (p *patience) note(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if _, known := p.refused[address]; !known && len(p.refused) >= maxKept {
		for other, of := range p.refused {
			if of.now(now) == 0 {
				delete(p.refused, other)
			}
		}
		if len(p.refused) >= maxKept {
			return
		}
	}
	if p.refused == nil {
		p.refused = map[string]refusals{}
	}
	highest := freeRefusals + float64(p.most)/float64(refusalStep)
	p.refused[address] = refusals{min(p.refused[address].now(now)+1, highest), now}
}

// pause is how long the address has to wait.
func (p *patience) pause(address string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	over := p.refused[address].now(time.Now()) - freeRefusals
	return max(0, min(p.most, time.Duration(over*float64(refusalStep))))
}

// addressOf is whom a remote address belongs to: of IPv6, who has the network of 64 bits.
func addressOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if at = at.Unmap(); at.Is6() {
		if net, err := at.WithZone("").Prefix(64); err == nil {
			return net.String()
		}
	}
	return at.String()
}

// What one session may do of what costs most, for long and at once: events that are refused, and tasks that are asked for.
const (
	costRate, costBurst = 20, 200
	maxCost             = costRate // of one event, which so holds up the next one for a second at most
)

// costs pace the sessions, over all their connections.
type costs struct {
	mu  sync.Mutex // protects all
	all map[holdfast.SessionID]*rate.Limiter
}

// charge takes the cost of an event and returns how long the session's next one has to wait.
func (c *costs) charge(session holdfast.SessionID, cost int) time.Duration {
	if cost == 0 {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	of := c.all[session]
	if of == nil {
		if len(c.all) >= maxKept {
			for other, limiter := range c.all {
				if limiter.TokensAt(now) >= costBurst {
					delete(c.all, other)
				}
			}
		}
		if c.all == nil {
			c.all = map[holdfast.SessionID]*rate.Limiter{}
		}
		of = rate.NewLimiter(costRate, costBurst)
		c.all[session] = of
	}
	return charge(of, now, min(cost, maxCost)).Sub(now)
}
