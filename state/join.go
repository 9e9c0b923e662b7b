package state

import (
	"context"
	"fmt"
	"slices"

	"github.com/holdfast-run/holdfast"
)

// PageLoad is what a page that connects says of itself.
type PageLoad struct {
	// Client names the load of the page, within which its events are numbered.
	Client string
	// Sent is the highest number of an event that it has sent; 0 for none.
	Sent int64
	// Loaded reports that what is to run for the load of the page has run, in the session's life Epoch. Both are empty
	// when the page connects for the first time.
	Loaded bool
	Epoch  string
}

// Join lets a page in: its events are applied from then on. It creates the session if it is not there, and returns the
// epoch, which names the session's life. To join again changes nothing. Of a page that was away for so long that it was
// forgotten, what it sent before is refused with [ErrForgotten], and what was to run for its load does not run again
// in the same life of the session.
func (s *Service) Join(ctx context.Context, app *holdfast.App, session holdfast.SessionID, page PageLoad) (epoch string, err error) {
	key := LoadKey(page.Client, "")
	if session.App() != app.Name() || session.Key() == "" {
		err = fmt.Errorf("session %q is not one of app %s", session, app.Name())
	} else {
		err = checkNames(session, key)
	}
	if err == nil {
		epoch, err = s.join(ctx, app, session, key.Owner, page)
	}
	if err != nil {
		return "", fmt.Errorf("join session %s: %w", session, err)
	}
	return epoch, nil
}

func (s *Service) join(ctx context.Context, app *holdfast.App, session holdfast.SessionID, owner string, page PageLoad) (epoch string, err error) {
	err = s.hold(ctx, Claim{Session: session, Owner: owner}, func(held Held) (*Commit, error) {
		mark := &pageMark{}
		found, err := decodeMark(held, mark)
		if epoch = held.Record().Epoch; err != nil || found {
			return nil, err
		}
		d := s.draft(ctx, held.Record())
		mark.Floor, mark.High = page.Sent, page.Sent
		if page.Loaded && page.Epoch == epoch && epoch != "" {
			for _, event := range app.LoadEvents() {
				mark.Loads = append(mark.Loads, event.Name())
			}
			slices.Sort(mark.Loads)
		}
		d.mark(owner, mark)
		epoch = d.Epoch
		return d.finish(), nil
	})
	return epoch, err
}
