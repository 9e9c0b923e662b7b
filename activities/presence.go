package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/internal/wire"
	"github.com/holdfast-run/holdfast/state"
)

const (
	// presentLook is how often present looks for starters whose lease has lapsed.
	presentLook = state.PresenceLease / 4
	// presentWait is how long such a starter has to come back: after an outage of the store all
	// leases have lapsed, and the starters that live renew theirs within a few seconds.
	presentWait = state.PresenceLease + presentLook
)

// present returns the starters that hold a connection of the session. Where only starters
// without a lease have noted one, it waits until one of them has its lease again, their notes
// are removed because they are dead, or some time has passed.
func (a *Activities) present(ctx context.Context, in wire.PresentInput) ([]string, error) {
	session := holdfast.SessionID(in.Session)
	for until := time.Now().Add(presentWait); ; {
		notes, err := a.state.Presences(ctx, session)
		if err != nil {
			return nil, fmt.Errorf("ask for the pages of session %s: %w", session, err)
		}
		var alive []string
		lapsed := false
		for _, n := range notes {
			switch {
			case n.State != state.PresenceConnected:
			case n.Lapsed:
				lapsed = true
			default:
				alive = append(alive, n.Starter)
			}
		}
		if len(alive) > 0 || !lapsed || !time.Now().Before(until) {
			return alive, nil
		}
		select {
		case <-time.After(presentLook):
		case <-ctx.Done():
			return nil, ctx.Err() //nolint:wrapcheck // that of the activity
		}
	}
}
