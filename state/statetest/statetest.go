// Package statetest is the conformance suite of state drivers: the contract of state.Driver in executable form. A driver's
// own test calls [Run] in one line and is done when it passes.
package statetest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
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

// Report says what [Run] did.
type Report struct {
	// Cases is how many cases there are.
	Cases int
	// Skipped maps the name of each case that did not run to what the store lacks for it: SharedStore or StoreClock.
	Skipped map[string]string
}

// Run checks a driver. newStore makes an empty store for each case. It returns when all cases have ended. A case that needs
// what the store does not declare is logged as skipped and reported; the driver's own test asserts which ones those are, so
// that no case is left out unnoticed.
func Run(t *testing.T, newStore func(t testing.TB) Store) Report {
	t.Helper()
	var mu sync.Mutex // protects report
	report := Report{Skipped: map[string]string{}}
	t.Run("Cases", func(t *testing.T) { // returns when its parallel subtests have ended
		runCases(t, newStore, func(name, lacks string) {
			mu.Lock()
			defer mu.Unlock()
			report.Cases++
			if lacks != "" {
				report.Skipped[name] = lacks
			}
		})
	})
	t.Logf("%d cases, %d skipped: %v", report.Cases, len(report.Skipped), report.Skipped)
	return report
}

// What a case may need of a store.
const (
	// SharedStore is a store that several processes can use at the same time.
	SharedStore = "a second process on the store"
	// StoreClock is a store that has a clock of its own.
	StoreClock = "a clock of the store's own"
)

// lacks is which of the needs the store does not have, or "".
func (s Store) lacks(needs []string) string {
	has := map[string]bool{SharedStore: s.Shared, StoreClock: s.Clock}
	for _, need := range needs {
		if !has[need] {
			return need
		}
	}
	return ""
}

func runCases(t *testing.T, newStore func(t testing.TB) Store, counted func(name, lacks string)) {
	t.Helper()
	for _, c := range []struct {
		name  string
		test  func(*bench)
		needs []string
	}{
		{"Acquire/CreatesNothing", testAcquireCreatesNothing, nil},
		{"Acquire/WaitsForTheHolder", testAcquireWaits, nil},
		{"Acquire/HeedsItsContext", testAcquireHeedsContext, nil},
		{"Acquire/OtherSessionsAreFree", testOtherSessionsAreFree, nil},
		{"Acquire/OneHolderAtATime", testOneHolder, nil},
		{"Acquire/OneHolderAtATimeAcrossDrivers", testOneHolderAcrossDrivers, []string{SharedStore}},
		{"Acquire/FallsFreeWithTheLease", testLeaseLapses, nil},
		{"Acquire/FallsFreeWhenAProcessDies", testProcessDies, []string{SharedStore}},
		{"Hold/RenewedHoldsLast", testRenew, nil},
		{"Hold/ReleaseWritesNothing", testRelease, nil},
		{"Fence/StaleHolderCannotCommit", testStaleCommit, nil},
		{"Fence/StaleHolderCannotRenew", testStaleRenew, nil},
		{"Fence/StaleHolderCannotRelease", testStaleRelease, nil},
		{"Fence/HoldsOverExpiry", testFenceOverExpiry, nil},
		{"Fence/HoldsOverRemoval", testFenceOverRemoval, nil},
		{"Commit/IsReadBackWhole", testCommitReadBack, nil},
		{"Commit/KeepsWhatItDoesNotName", testCommitKeeps, nil},
		{"Commit/KeepsMembersThatTheProgramDoesNotKnow", testUnknownMembers, nil},
		{"Commit/StrangeText", testStrangeText, nil},
		{"Commit/LargeDocument", testLargeDocument, nil},
		{"Commit/IsSeenByOtherDrivers", testSeenByOthers, []string{SharedStore}},
		{"Commit/NobodySeesHalf", testNobodySeesHalf, nil},
		{"Ledger/FoundWithTheHold", testLedgerFound, nil},
		{"Ledger/ForgetsUpToANumber", testLedgerForgets, nil},
		{"Ledger/MarksOfOwners", testLedgerMarks, nil},
		{"Ledger/FindsARowOfTheOutbox", testLedgerRow, nil},
		{"Once/EventsHeldBackByAnotherStarter", testOnceEvents, nil},
		{"Once/LoadsOfAPageThatWasForgotten", testOnceLoad, nil},
		{"Once/EventsOfASessionThatExpired", testOnceInOneLife, nil},
		{"Once/TriggersDoneADayLater", testOnceTrigger, nil},
		{"Once/SectionsThatAreForgotten", testOnceSections, nil},
		{"Once/SectionsOfATaskThatHasEnded", testOnceEnded, nil},
		{"Once/AgainstAModel", testModel, nil},
		{"Changes/InOrderFromAPosition", testChanges, nil},
		{"Changes/AGapIsAnError", testChangesGap, nil},
		{"Changes/AreReadBackWhole", testChangeIsWhole, nil},
		{"Messages/KeepsTheNewest", testMessages, nil},
		{"Outbox/InOrderUntilSettled", testOutbox, nil},
		{"Listed/SessionsWithTasks", testListed, nil},
		{"Presence/OfStartersWithALease", testPresence, nil},
		{"Presence/KeepsALeavingStarter", testLeaving, nil},
		{"Presence/LapsesWithTheLease", testLapsed, nil},
		{"Presence/IsRemovedOnlyWhileLapsed", testRemoveLapsed, nil},
		{"Presence/OfAReturnedStarterStays", testReturned, nil},
		{"Presence/IsSeenByOtherDrivers", testPresenceOfOthers, []string{SharedStore}},
		{"Clock/OfAProcessThatIsBehindDoesNotMatter", testClockBehind, []string{SharedStore, StoreClock}},
		{"Clock/OfAProcessThatIsAheadDoesNotMatter", testClockAhead, []string{SharedStore, StoreClock}},
		{"Clock/OfAHolderThatIsBehindDoesNotMatter", testHolderBehind, []string{SharedStore, StoreClock}},
		{"Clock/OfAHolderThatIsAheadDoesNotMatter", testHolderAhead, []string{SharedStore, StoreClock}},
		{"Lease/SaysThatItHadLapsed", testLeaseTerm, nil},
		{"Lease/SaysSoAfterItWasForgotten", testLeaseForgotten, nil},
		{"Lease/CountsOthers", testLeaseOthers, nil},
		{"Expire/RemovesIdleSessions", testExpire, nil},
		{"Expire/KeepsWhatIsNeeded", testExpireKeeps, nil},
		{"Expire/ForgetsSilentOwners", testExpireLedger, nil},
		{"Watch/TellsOfCommits", testWatch, nil},
		{"Watch/TellsOfOtherDriversCommits", testWatchOthers, []string{SharedStore}},
		{"Close/EndsHoldsAndWatches", testClose, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := newStore(t)
			lacks := store.lacks(c.needs)
			counted(c.name, lacks)
			if lacks != "" {
				t.Logf("skipped: it needs %s", lacks)
				return
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
