package state

import (
	"context"

	"github.com/holdfast-run/holdfast"
)

type heldKey struct{}

// heldSessions is the chain of sessions that the calls around this one hold.
type heldSessions struct {
	session holdfast.SessionID
	around  *heldSessions
}

// withHeld marks the context of a section with its session.
func withHeld(ctx context.Context, session holdfast.SessionID) context.Context {
	around, _ := ctx.Value(heldKey{}).(*heldSessions)
	return context.WithValue(ctx, heldKey{}, &heldSessions{session: session, around: around})
}

// holds reports whether the context is that of a section of the session, or was derived from it.
func holds(ctx context.Context, session holdfast.SessionID) bool {
	held, _ := ctx.Value(heldKey{}).(*heldSessions)
	for ; held != nil; held = held.around {
		if held.session == session {
			return true
		}
	}
	return false
}
