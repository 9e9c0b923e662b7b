package state

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/holdfast-run/holdfast"
)

// ErrGap reports that the log no longer reaches back to the position that was asked for, or that the position belongs to
// another epoch. The reader needs a snapshot.
var ErrGap = errors.New("the log of changes does not reach back to this position")

// Driver stores sessions in one kind of engine. It is what an implementer writes; applications use [Service].
//
// Every method is safe for concurrent use, and several processes may have drivers on the same store unless the engine
// rules it out (memory). Whatever is decided by time is decided by the store's clock, one for all processes, and so only durations
// are handed over: a process whose clock is wrong does no harm. Errors of the engine are returned wrapped but otherwise as they are: the service treats
// whatever is no sentinel of this package or of package holdfast as a fault that may pass. Package statetest is the
// executable form of this contract; a driver is done when it passes.
type Driver interface { //nolint:interfacebloat // one engine is one thing; half a driver is none
	// Acquire makes the caller the only holder of the session, among all processes, and returns what the session holds at
	// that moment. It waits while another holds it, until ctx ends (and then returns ctx's error). A hold of a process
	// that died must fall to the next one within claim.Lease of its last renewal. A session that does not exist is
	// held all the same and has a Record with an empty Epoch; it is created by the first commit.
	Acquire(ctx context.Context, claim Claim) (Held, error)

	// Load returns the last committed state of the session and its kept messages, all of one moment, without
	// waiting for a holder. A session that does not exist has an empty Epoch.
	Load(ctx context.Context, session holdfast.SessionID) (*Record, []Message, error)

	// Changes returns, in order, the changes after the position, at most limit of them. If any change after the position has
	// been dropped, or the epoch is not the session's, it must return ErrGap and no changes. An empty result means that
	// the position is the present.
	Changes(ctx context.Context, session holdfast.SessionID, after Position, limit int) ([]Change, error)

	// Watch calls notify for commits of any process until ctx ends, and then returns ctx's error; another error means that
	// the watch broke and may be begun anew. A notice comes after its commit can be read. Notices may be merged, repeated,
	// come for nothing, and be lost when the watch breaks. notify does not block and is called from one goroutine.
	Watch(ctx context.Context, notify func(Notice)) error

	// Outbox returns the rows that wait to be done, oldest first, at most limit of them.
	Outbox(ctx context.Context, limit int) ([]Pending, error)

	// Listed returns the sessions that have tasks on their lists, in any order.
	Listed(ctx context.Context) ([]Listed, error)

	// RenewLease makes the starter's presence lease last for so long from now. It may be repeated when its answer is lost:
	// the term of the [Lease] says the same again.
	RenewLease(ctx context.Context, starter string, lease time.Duration) (Lease, error)

	// SetPresence notes what the starter holds of the session; [PresenceNone] removes the note. A starter need not have a
	// lease, nor the session exist.
	SetPresence(ctx context.Context, session holdfast.SessionID, starter string, is PresenceState) error

	// Presence returns what starters have noted of the session, those without a lease included, in any order.
	Presence(ctx context.Context, session holdfast.SessionID) ([]Presence, error)

	// Lapsed returns the notes of starters whose lease has lapsed, or that never had one, at most limit of them.
	Lapsed(ctx context.Context, limit int) ([]Presence, error)

	// RemoveLapsed removes the starter's note of the session if the starter has no lease at that moment, and reports whether
	// there is no such note any more. A note that a starter sets after it has got a lease again must never be removed by a
	// call that began while it had none.
	RemoveLapsed(ctx context.Context, session holdfast.SessionID, starter string) (gone bool, err error)

	// Touch notes that the session is in use now, as each commit does, and, unless owner is empty, that this owner of
	// the ledger is, as each commit with its mark does. It does nothing for a session or an owner that does not exist.
	Touch(ctx context.Context, session holdfast.SessionID, owner string) error

	// Expire removes what is no longer needed, and says how many sessions it removed.
	Expire(ctx context.Context, expiry Expiry) (int, error)

	// Close frees the driver's resources. Holds and watches that are still open end with an error.
	Close() error
}

// Held is the hold of one caller on one session. It is used by one goroutine at a time.
type Held interface {
	// Record is the session as it was committed when the hold began. The caller does not change it.
	Record() *Record

	// Recorded returns the result in the ledger under the claim's key, if there is one.
	Recorded() (result json.RawMessage, found bool)

	// Mark is the mark of the claim's owner as it was last committed; nil for none.
	Mark() json.RawMessage

	// Waiting reports whether the claim's row stands in the outbox.
	Waiting() bool

	// Renew makes the hold last for another lease from now. ErrLockExpired: it was lost meanwhile.
	Renew(ctx context.Context, lease time.Duration) error

	// Commit writes everything in commit in one transaction and ends the hold. If the hold was lost it must write
	// nothing and return ErrLockExpired. Any other error may leave it open whether the commit happened.
	Commit(ctx context.Context, commit *Commit) error

	// Release ends the hold without writing. After Commit, or a second time, it does nothing.
	Release()
}

// Claim asks for a hold.
type Claim struct {
	Session holdfast.SessionID
	// Lease is how long the hold lasts without being renewed.
	Lease time.Duration
	// Key is looked up in the ledger with the hold, Owner's mark is read, and Row is looked for in the session's rows of
	// the outbox. Empty: nothing is.
	Key, Owner, Row string
}

// Commit is all that one section writes.
type Commit struct {
	// Epoch of the session. It differs from the record's only when the session is created.
	Epoch string
	// Version, Revision and LastMessage replace those of the record.
	Version, Revision, LastMessage int64
	// Documents are the states that changed; others stay.
	Documents holdfast.Documents
	// Tasks and Deferred are the whole new lists if TasksChanged.
	Tasks        []Task
	Deferred     []Pending
	TasksChanged bool
	// Change goes into the log; nil when nothing visible changed. Its messages are kept for snapshots as well.
	Change *Change
	// Entry goes into the ledger; nil for a call without a key.
	Entry *Entry
	// Marks replace those of their owners, and note that these are in use. An owner with an entry has a mark.
	Marks map[string]json.RawMessage
	// Pending are added to the outbox, Settled are the ids of rows that are struck out of it.
	Pending []Pending
	Settled []string
	// KeepChanges and KeepMessages bound what the session keeps of each.
	KeepChanges, KeepMessages int64

	tallies []tally // for the metrics; nothing that is stored
}

// Entry is one applied call in the ledger.
type Entry struct {
	// Owner groups entries: a task.
	Owner string
	// Key is unique within the session.
	Key string
	// Seq is the entry's number within the owner; 0: unnumbered.
	Seq int64
	// Forget removes those entries of the owner whose numbers are from 1 to this one.
	Forget int64
	// Result is the recorded answer; may be nil.
	Result json.RawMessage
}

// Listed is a session with its list of tasks.
type Listed struct {
	Session holdfast.SessionID
	Tasks   []Task
}

// Notice says that something was committed: read again.
type Notice struct {
	// Session has changed; empty: none in particular.
	Session holdfast.SessionID
	// All reports that any session may have changed.
	All bool
	// Outbox reports that the outbox may have something.
	Outbox bool
}

// Expiry says what may go. A negative time lets go of what was used just now as well.
type Expiry struct {
	// Idle removes sessions last used longer ago that are not held and have neither tasks nor outbox rows. A hold that
	// has lapsed goes with its session: it must not commit what it read.
	Idle time.Duration
	// Ledger removes the marks, and all entries, of owners whose mark was last written or touched longer ago and that are
	// not among the session's tasks.
	Ledger time.Duration
}
