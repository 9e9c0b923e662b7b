package statetest

import (
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
	b.must(b.Present(b.Context(), session, "one", true))
	b.presence(b, session)
	b.must(b.Beat(b.Context(), "one", time.Minute))
	b.presence(b, session, "one")
	b.must(b.Present(b.Context(), session, "one", true)) // again
	b.presence(b, session, "one")
	b.presence(b, other)
	b.must(b.Present(b.Context(), session, "one", false))
	b.presence(b, session)
	b.must(b.Present(b.Context(), session, "one", false))
}

func testLapsed(b *bench) {
	for _, starter := range []string{"dead", "alive"} {
		b.must(b.Present(b.Context(), session, starter, true))
	}
	b.must(b.Beat(b.Context(), "dead", -time.Second))
	b.must(b.Beat(b.Context(), "alive", time.Minute))
	b.must(b.Present(b.Context(), other, "silent", true)) // it died before its first beat
	b.presence(b, session, "alive")
	lapsed, err := b.Lapsed(b.Context(), 10)
	b.must(err)
	b.is(len(lapsed), 2, "what was left behind")
	lapsed, err = b.Lapsed(b.Context(), 1)
	b.must(err)
	b.is(len(lapsed), 1, "the limit")
	b.must(b.Present(b.Context(), session, "dead", false))
	b.must(b.Present(b.Context(), other, "silent", false))
	lapsed, err = b.Lapsed(b.Context(), 10)
	b.must(err)
	b.is(len(lapsed), 0, "after it was taken care of")
}

func testPresenceOfOthers(b *bench) {
	second := opened(b, b.store)
	b.must(second.Beat(b.Context(), "two", time.Minute))
	b.must(second.Present(b.Context(), session, "two", true))
	b.presence(b, session, "two")
}

func (b *bench) presence(driver state.Driver, id holdfast.SessionID, want ...string) {
	b.Helper()
	got, err := driver.Presence(b.Context(), id)
	b.must(err)
	b.is(append([]string{}, got...), append([]string{}, want...), "who is present")
}
