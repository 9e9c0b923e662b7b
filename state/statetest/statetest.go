// Package statetest is the conformance suite of state drivers: the contract of state.Driver in executable form. A driver's
// own test calls [Run] in one line and is done when it passes.
package statetest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Store is one empty store that drivers can be opened on.
type Store struct {
	// Open opens a driver on the store. If Shared, it may be called several times, and each driver stands for a process of its
	// own. The suite closes what it opens.
	Open func(t testing.TB) state.Driver
	// Shared declares that several drivers can use the store at the same time.
	Shared bool
	// Clock declares that the store has a clock of its own, whatever that of a process says.
	Clock bool
}

// Run checks a driver. newStore makes an empty store for each test.
func Run(t *testing.T, newStore func(t testing.TB) Store) {
	t.Helper()
	for _, c := range []struct {
		name   string
		shared bool // needs a second driver on the store
		test   func(*bench)
	}{
		{"Acquire/CreatesNothing", false, testAcquireCreatesNothing},
		{"Acquire/WaitsForTheHolder", false, testAcquireWaits},
		{"Acquire/HeedsItsContext", false, testAcquireHeedsContext},
		{"Acquire/OtherSessionsAreFree", false, testOtherSessionsAreFree},
		{"Acquire/OneHolderAtATime", false, testOneHolder},
		{"Acquire/OneHolderAtATimeAcrossDrivers", true, testOneHolderAcrossDrivers},
		{"Acquire/FallsFreeWithTheLease", false, testLeaseLapses},
		{"Acquire/FallsFreeWhenAProcessDies", true, testProcessDies},
		{"Hold/RenewedHoldsLast", false, testRenew},
		{"Hold/ReleaseWritesNothing", false, testRelease},
		{"Fence/StaleHolderCannotCommit", false, testStaleCommit},
		{"Fence/StaleHolderCannotRenew", false, testStaleRenew},
		{"Fence/StaleHolderCannotRelease", false, testStaleRelease},
		{"Fence/HoldsOverExpiry", false, testFenceOverExpiry},
		{"Commit/IsReadBackWhole", false, testCommitReadBack},
		{"Commit/KeepsWhatItDoesNotName", false, testCommitKeeps},
		{"Commit/StrangeText", false, testStrangeText},
		{"Commit/LargeDocument", false, testLargeDocument},
		{"Commit/IsSeenByOtherDrivers", true, testSeenByOthers},
		{"Commit/NobodySeesHalf", false, testNobodySeesHalf},
		{"Ledger/FoundWithTheHold", false, testLedgerFound},
		{"Ledger/KeepsTheNewestOfEachOwner", false, testLedgerTrimmed},
		{"Changes/InOrderFromAPosition", false, testChanges},
		{"Changes/AGapIsAnError", false, testChangesGap},
		{"Changes/AreReadBackWhole", false, testChangeIsWhole},
		{"Messages/KeepsTheNewest", false, testMessages},
		{"Outbox/InOrderUntilSettled", false, testOutbox},
		{"Listed/SessionsWithTasks", false, testListed},
		{"Presence/OfStartersThatBeat", false, testPresence},
		{"Presence/LapsesWithTheLease", false, testLapsed},
		{"Presence/IsSeenByOtherDrivers", true, testPresenceOfOthers},
		{"Clock/ThatOfAProcessDoesNotMatter", true, testClock},
		{"Expire/RemovesIdleSessions", false, testExpire},
		{"Expire/KeepsWhatIsNeeded", false, testExpireKeeps},
		{"Expire/ForgetsSilentOwners", false, testExpireLedger},
		{"Watch/TellsOfCommits", false, testWatch},
		{"Watch/TellsOfOtherDriversCommits", true, testWatchOthers},
		{"Close/EndsHoldsAndWatches", false, testClose},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			if c.shared && !store.Shared {
				return // the engine has no second process
			}
			c.test(&bench{T: t, store: store, Driver: opened(t, store)})
		})
	}
}

func opened(t testing.TB, store Store) state.Driver {
	t.Helper()
	driver := store.Open(t)
	t.Cleanup(func() { _ = driver.Close() })
	return driver
}

const (
	session = holdfast.SessionID("test-one")
	other   = holdfast.SessionID("test-two")

	// long is a lease that does not lapse within a test, short one that does so soon.
	long  = time.Minute
	short = 30 * time.Millisecond
)

// bench is one test: a driver on a store of its own.
type bench struct {
	*testing.T
	state.Driver
	store Store
}

// must fails the test on an error.
func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("unexpected error: %v", err)
	}
}

// is fails the test unless got and want look the same.
func (b *bench) is(got, want any, about string) {
	b.Helper()
	if g, w := show(got), show(want); g != w {
		b.Fatalf("%s:\n got %s\nwant %s", about, g, w)
	}
}

func show(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// hold acquires a session on a driver.
func (b *bench) hold(driver state.Driver, id holdfast.SessionID, lease time.Duration) state.Held {
	b.Helper()
	held, err := driver.Acquire(b.Context(), state.Claim{Session: id, Lease: lease})
	b.must(err)
	return held
}

// next is a commit that follows the held record: a new value of the document "State", visible.
func next(held state.Held, value int) *state.Commit {
	r := held.Record()
	c := &state.Commit{
		Epoch: r.Epoch, Version: r.Version + 1, Revision: r.Revision + 1, LastMessage: r.LastMessage,
		Documents:   holdfast.Documents{"State": json.RawMessage(fmt.Sprint(value))},
		KeepChanges: 1000, KeepMessages: 100,
	}
	if c.Epoch == "" {
		c.Epoch = "epoch1"
	}
	c.Change = &state.Change{Revision: c.Revision, States: map[string]json.RawMessage{"State": c.Documents["State"]}}
	return c
}

// put commits a value, with changes to the commit.
func (b *bench) put(driver state.Driver, id holdfast.SessionID, value int, change ...func(*state.Commit)) {
	b.Helper()
	held := b.hold(driver, id, long)
	c := next(held, value)
	for _, f := range change {
		f(c)
	}
	b.must(held.Commit(b.Context(), c))
}

// value is the committed document "State", or "" for none.
func (b *bench) value(driver state.Driver, id holdfast.SessionID) string {
	b.Helper()
	record, _, err := driver.Load(b.Context(), id)
	b.must(err)
	return string(record.Documents["State"])
}

func contextWith(b *bench, f func(ctx context.Context, cancel context.CancelFunc)) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	f(ctx, cancel)
}
