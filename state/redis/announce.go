package redis

import (
	"context"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// worthTelling reports a commit of which others want to know.
func worthTelling(c *state.Commit) bool { return c.Change != nil || len(c.Pending) > 0 }

// announcer tells all processes of commits where the commits' scripts cannot: the stream of notices is on one server of the
// cluster, and no commit waits for that one. While it is slow the notices of a session become one, and those that are too many are
// dropped: readers look by themselves in a while.
type announcer struct {
	driver *Driver
	ended  chan struct{}

	mu   sync.Mutex                  // protects what follows
	news map[holdfast.SessionID]bool // to be told, and whether the outbox has something
	some chan struct{}               // holds a token when there are news
}

func newAnnouncer(d *Driver) *announcer {
	return &announcer{
		driver: d, ended: make(chan struct{}),
		news: map[holdfast.SessionID]bool{}, some: make(chan struct{}, 1),
	}
}

// add has the commit told, some time soon.
func (a *announcer) add(session holdfast.SessionID, outbox bool) {
	const most = keepNotices
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, merged := a.news[session]; !merged && len(a.news) == most {
		return
	}
	a.news[session] = a.news[session] || outbox
	select {
	case a.some <- struct{}{}:
	default:
	}
}

// take are the arguments of the notices that are to be told now.
func (a *announcer) take() []any {
	const most = 500 // the server does nothing else meanwhile
	a.mu.Lock()
	defer a.mu.Unlock()
	args := []any{keepNotices}
	for session, outbox := range a.news {
		if len(args) > 2*most {
			break
		}
		args = append(args, string(session), flag(outbox))
		delete(a.news, session)
	}
	return args
}

// run tells until the driver is closed, and then what is left, if the server takes it at once.
func (a *announcer) run() {
	defer close(a.ended)
	d := a.driver
	for failing := false; ; {
		select {
		case <-a.some:
		case <-d.closed:
			_ = a.tell() // nobody tries again
			return
		}
		err := a.tell()
		if err != nil && !failing {
			d.log.Warn("redis: telling other processes of commits fails; they look by themselves in a while", "err", err)
		}
		if failing = err != nil; failing {
			d.pause(d.open, time.Second)
		}
	}
}

// tell tells all news. What cannot be told remains.
func (a *announcer) tell() error {
	const patience = time.Second // and so Close does not wait for long
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d := a.driver
	for {
		args := a.take()
		if len(args) == 1 {
			return nil
		}
		if err := d.run(ctx, d.scripts.notice, []string{d.keys.notices()}, args...).Err(); err != nil {
			a.restore(args)
			return err //nolint:wrapcheck // it is only told
		}
	}
}

// restore puts back what was taken.
func (a *announcer) restore(args []any) {
	for i := 1; i < len(args); i += 2 {
		session, _ := args[i].(string)
		a.add(holdfast.SessionID(session), args[i+1] == flag(true))
	}
}
