package statetest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// aMark is the mark of an owner with an entry.
var aMark = json.RawMessage(`{"m":"<é>"}`)

func withMark(owner string, mark json.RawMessage) func(*state.Commit) {
	return func(c *state.Commit) {
		if c.Marks == nil {
			c.Marks = map[string]json.RawMessage{}
		}
		c.Marks[owner] = mark
	}
}

// withEntry records a call, numbered seq, and writes its owner's mark.
func withEntry(owner string, seq int64, key, result string) func(*state.Commit) {
	return func(c *state.Commit) {
		c.Entry = &state.Entry{Owner: owner, Key: key, Seq: seq}
		if result != "" {
			c.Entry.Result = json.RawMessage(result)
		}
		withMark(owner, aMark)(c)
	}
}

func forgetting(upTo int64) func(*state.Commit) {
	return func(c *state.Commit) { c.Entry.Forget = upTo }
}

// claimed is what the next holder finds.
func (b *bench) claimed(id holdfast.SessionID, key, owner, row string) state.Held {
	b.Helper()
	held, err := b.Acquire(b.Context(), state.Claim{Session: id, Lease: long, Key: key, Owner: owner, Row: row})
	b.must(err)
	held.Release()
	return held
}

func (b *bench) recorded(key string) (string, bool) {
	b.Helper()
	result, found := b.claimed(session, key, "", "").Recorded()
	return string(result), found
}

func (b *bench) mark(owner string) json.RawMessage {
	b.Helper()
	return b.claimed(session, "", owner, "").Mark()
}

func testLedgerFound(b *bench) {
	b.put(b, session, 1, withEntry("o", 1, "k", `{"a":1}`))
	result, found := b.recorded("k")
	b.is([]any{result, found}, []any{`{"a":1}`, true}, "a recorded call")
	_, found = b.recorded("another")
	b.is(found, false, "a call that was never made")
	b.put(b, session, 2, withEntry("o", 2, "empty", ""))
	result, found = b.recorded("empty")
	b.is([]any{result, found}, []any{"", true}, "a recorded call without a result")

	stale, holder := lapsed(b)
	c := next(stale, 666)
	withEntry("stale", 1, "stale", "1")(c)
	wantExpired(b, stale.Commit(b.Context(), c))
	holder.Release()
	_, found = b.recorded("stale")
	b.is(found, false, "the call of a stale holder")
	b.is(len(b.mark("stale")), 0, "its mark")
	_, found = b.claimed(other, "k", "", "").Recorded()
	b.is(found, false, "the call of another session")
}

// testLedgerForgets: an owner says up to which call it never asks again.
func testLedgerForgets(b *bench) {
	b.put(b, session, 0, withEntry("other", 1, "other", "1"))
	b.put(b, session, 0, withEntry("o", 0, "unnumbered", "1"))
	for _, n := range []int64{2, 1, 3, 5, 4, 6} {
		b.put(b, session, int(n), withEntry("o", n, fmt.Sprint(n), "1"))
	}
	b.put(b, session, 7, withEntry("o", 7, "7", "1"), forgetting(4))
	b.put(b, session, 8, withEntry("o", 8, "8", "1"), forgetting(2)) // it was late
	for n := 1; n <= 8; n++ {
		_, found := b.recorded(fmt.Sprint(n))
		b.is(found, n > 4, fmt.Sprintf("whether the ledger has call %d of 8 when 4 are forgotten", n))
	}
	for _, key := range []string{"other", "unnumbered"} {
		_, found := b.recorded(key)
		b.is(found, true, "another owner's call, and one without a number: "+key)
	}
	b.put(b, session, 9, withEntry("o", 9, "9", "1"), forgetting(9))
	_, found := b.recorded("9")
	b.is(found, false, "a call that is never asked again is not kept")
}

func testLedgerMarks(b *bench) {
	b.is(len(b.mark("o")), 0, "the mark in a session that does not exist")
	b.put(b, session, 1, withMark("o", json.RawMessage(`{"n":1}`)), withMark("p", json.RawMessage(`{"n":2}`)))
	b.put(b, session, 2, withMark("p", json.RawMessage(`{"n":3}`)))
	b.put(b, session, 3)
	b.is(b.mark("o"), json.RawMessage(`{"n":1}`), "a mark")
	b.is(b.mark("p"), json.RawMessage(`{"n":3}`), "a mark that was replaced")
	b.is(len(b.mark("q")), 0, "the mark of an unknown owner")
	b.is(len(b.claimed(other, "", "o", "").Mark()), 0, "the mark in another session")
}

func testLedgerRow(b *bench) {
	b.put(b, session, 1, withPending("row", "done"))
	b.put(b, session, 2, func(c *state.Commit) { c.Settled = []string{"done"} })
	for row, want := range map[string]bool{"row": true, "done": false, "never there": false, "": false} {
		b.is(b.claimed(session, "", "", row).Waiting(), want, "whether the row waits: "+row)
	}
	b.is(b.claimed(other, "", "", "row").Waiting(), false, "the row of another session")
}

// testExpireLedger: an owner is forgotten with all it has, unless it calls, is touched or is a listed task.
func testExpireLedger(b *bench) {
	for n := 1; ; n++ {
		b.put(b, session, n, withEntry(string(taskA.ID), 1, fmt.Sprint("task", n), "1"), withTasks(taskA))
		b.put(b, session, n, withEntry("silent", 1, "silent", "1"))
		b.put(b, session, n, withEntry("busy", 1, fmt.Sprint("busy, then", n), "1"))
		b.put(b, session, n, withMark("page", aMark))
		calls := 0
		if b.forgotten(state.Expiry{Idle: time.Hour, Ledger: idle}, func() {
			calls++
			b.put(b, session, n, withEntry("busy", 2, fmt.Sprint("busy, now", n, calls), "1"))
			b.must(b.Touch(b.Context(), session, "page"))
		}, func(int) bool { return len(b.mark("silent")) == 0 }) {
			for _, key := range []string{fmt.Sprint("task", n), fmt.Sprint("busy, then", n), fmt.Sprint("busy, now", n, calls)} {
				_, found := b.recorded(key)
				b.is(found, true, "whether the ledger has the call of "+key)
			}
			for _, owner := range []string{string(taskA.ID), "busy", "page"} {
				b.is(b.mark(owner), aMark, "the mark of "+owner)
			}
			_, found := b.recorded("silent")
			b.is(found, false, "a call of who was silent")
			return
		}
	}
}

// testFenceOverRemoval: a hold that lapsed goes with the session that it has read, and nothing of that is revived.
func testFenceOverRemoval(b *bench) {
	b.put(b, session, 1, withEntry("o", 1, "k", "1"), withMessage("m"))
	stale := b.hold(b, session, short)
	for removed := 0; removed == 0; <-time.After(short) {
		var err error
		removed, err = b.Expire(b.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
		b.must(err)
	}
	wantExpired(b, stale.Renew(b.Context(), long))
	c := next(stale, 666)
	withPending("stale")(c)
	wantExpired(b, stale.Commit(b.Context(), c))
	record, messages, err := b.Load(b.Context(), session)
	b.must(err)
	b.is([]any{record.Epoch, len(record.Documents), len(messages), len(b.outbox(1))}, []any{"", 0, 0, 0}, "what is revived")
	stale.Release()
	b.put(b, session, 2)
}
