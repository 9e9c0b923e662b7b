package statetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func testListed(b *bench) {
	b.put(b, session, 1, withTasks(taskA, taskB))
	b.put(b, other, 1)
	listed, err := b.Listed(b.Context())
	b.must(err)
	b.is(listed, []state.Listed{{Session: session, Tasks: []state.Task{taskA, taskB}}}, "the sessions with tasks")
	b.put(b, session, 2, withTasks())
	listed, err = b.Listed(b.Context())
	b.must(err)
	b.is(len(listed), 0, "after the tasks have ended")
}

func testPresence(b *bench) {
	b.connect(session, "one")
	b.presence(b, session, "one connected lapsed")
	b.renew(b, "one", long)
	b.presence(b, session, "one connected")
	b.connect(session, "one") // again
	b.presence(b, session, "one connected")
	b.presence(b, other)
	b.must(b.SetPresence(b.Context(), session, "one", state.PresenceNone))
	b.presence(b, session)
	b.must(b.SetPresence(b.Context(), session, "one", state.PresenceNone))
}

// testLeaving: the note stays until the starter has told the tasks, also when it dies
// before it has.
func testLeaving(b *bench) {
	b.renew(b, "one", short)
	b.connect(session, "one")
	b.must(b.SetPresence(b.Context(), session, "one", state.PresenceLeaving))
	b.lapses(session, "one")
	b.presence(b, session, "one leaving lapsed")
	b.lapsed("one leaving lapsed")
	b.connect(session, "one") // it has come back
	b.lapsed("one connected lapsed")
}

// testLapsed lets leases lapse, by the store's clock.
func testLapsed(b *bench) {
	b.renew(b, "dead", short)
	b.renew(b, "alive", long)
	b.connect(session, "dead", "alive")
	b.connect(other, "silent") // it died before it had a lease
	b.lapses(session, "dead")
	b.presence(b, session, "alive connected", "dead connected lapsed")
	b.lapsed("dead connected lapsed", "silent connected lapsed")
	limited, err := b.Lapsed(b.Context(), 1)
	b.must(err)
	b.is(len(limited), 1, "the limit")
	b.gone(session, "dead", true)
	b.gone(other, "silent", true)
	b.lapsed()
	b.presence(b, session, "alive connected")
}

func testRemoveLapsed(b *bench) {
	b.renew(b, "one", long)
	b.connect(session, "one")
	b.gone(session, "one", false)
	b.presence(b, session, "one connected")
	b.gone(other, "one", true) // there is none
	b.renew(b, "one", -time.Second)
	b.connect(other, "one")
	b.gone(session, "one", true)
	b.presence(b, session)
	b.presence(b, other, "one connected lapsed") // of that session alone
	b.gone(session, "one", true)                 // again
}

// testReturned: a starter comes back while another one removes what it had left. The note
// that it sets then is never lost.
func testReturned(b *bench) {
	const rounds = 50
	for n := range rounds {
		starter := fmt.Sprint("starter", n)
		b.renew(b, starter, -time.Second)
		b.connect(session, starter)
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := b.RemoveLapsed(b.Context(), session, starter); err != nil {
				b.Errorf("remove: %v", err)
			}
		})
		both.Go(func() {
			if _, err := b.RenewLease(b.Context(), starter, long); err != nil {
				b.Errorf("renew: %v", err)
			}
			if err := b.SetPresence(b.Context(), session, starter, state.PresenceConnected); err != nil {
				b.Errorf("note: %v", err)
			}
		})
		both.Wait()
		b.presence(b, session, starter+" connected")
		b.must(b.SetPresence(b.Context(), session, starter, state.PresenceNone))
	}
}

// testLeaseTerm: the term stays while the lease lasts, and is another one after it had
// lapsed.
func testLeaseTerm(b *bench) {
	first := b.renew(b, "one", long)
	b.is(b.renew(b, "one", short), first, "renewed in time, repeated or not")
	b.connect(session, "one")
	b.lapses(session, "one")
	second := b.renew(b, "one", long)
	b.is(second == first, false, "whether the term is the same after a lapse")
	b.is(b.renew(b, "one", long), second, "asked for again")
}

// testLeaseForgotten: a lease that was removed because it ended long ago had lapsed too.
func testLeaseForgotten(b *bench) {
	first := b.renew(b, "one", -time.Second)
	_, err := b.Expire(b.Context(), state.Expiry{Idle: -time.Minute, Ledger: time.Minute})
	b.must(err)
	b.is(b.renew(b, "one", long) == first, false, "whether the term is the same")
}

func testLeaseOthers(b *bench) {
	for n, starter := range []string{"one", "two", "three"} {
		lease, err := b.RenewLease(b.Context(), starter, long)
		b.must(err)
		b.is(lease.Others, n, "others")
	}
	b.renew(b, "two", -time.Second)
	lease, err := b.RenewLease(b.Context(), "one", long)
	b.must(err)
	b.is(lease.Others, 1, "others after one has lapsed")
}

func testPresenceOfOthers(b *bench) {
	second := opened(b, b.store)
	b.renew(&bench{T: b.T, Driver: second}, "two", long)
	b.must(second.SetPresence(b.Context(), session, "two", state.PresenceConnected))
	b.presence(b, session, "two connected")
	b.renew(b, "one", long)
	gone, err := second.RemoveLapsed(b.Context(), session, "one")
	b.must(err)
	b.is(gone, true, "whether there is no note of another")
}

// renew renews a lease and returns its term.
func (b *bench) renew(driver state.Driver, starter string, lease time.Duration) int64 {
	b.Helper()
	renewed, err := driver.RenewLease(b.Context(), starter, lease)
	b.must(err)
	return renewed.Term
}

func (b *bench) connect(id holdfast.SessionID, starters ...string) {
	b.Helper()
	for _, starter := range starters {
		b.must(b.SetPresence(b.Context(), id, starter, state.PresenceConnected))
	}
}

// lapses waits until the starter, which has noted something of the session, has no lease
// any more.
func (b *bench) lapses(id holdfast.SessionID, starter string) {
	b.Helper()
	for {
		all, err := b.Driver.Presence(b.Context(), id)
		b.must(err)
		if slices.ContainsFunc(all, func(p state.Presence) bool { return p.Starter == starter && p.Lapsed }) {
			return
		}
	}
}

func (b *bench) gone(id holdfast.SessionID, starter string, want bool) {
	b.Helper()
	gone, err := b.RemoveLapsed(b.Context(), id, starter)
	b.must(err)
	b.is(gone, want, "whether "+starter+" has left nothing")
}

// presence compares what is noted of a session with "starter state" or "starter state
// lapsed", in the order of the starters.
func (b *bench) presence(driver state.Driver, id holdfast.SessionID, want ...string) {
	b.Helper()
	all, err := driver.Presence(b.Context(), id)
	b.must(err)
	b.is(words(all), append([]string{}, want...), "who is present")
}

func (b *bench) lapsed(want ...string) {
	b.Helper()
	all, err := b.Lapsed(b.Context(), 10)
	b.must(err)
	b.is(words(all), append([]string{}, want...), "what was left behind")
}

func words(all []state.Presence) []string {
	text := []string{}
	for _, p := range all {
		one := p.Starter + " " + string(p.State)
		if p.Lapsed {
			one += " lapsed"
		}
		text = append(text, one)
	}
	slices.Sort(text)
	return text
}
