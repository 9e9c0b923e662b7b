// Package state is the state service: it keeps the sessions, lets one section at a time into each, and remembers what
// it has applied. Everything that must survive a crash and is not in Temporal's history is here.
//
// # Who is authoritative
//
// The store behind the [Driver] is the only authority: over a session's state, over who may write it, over which calls were
// applied, which tasks are to be started and which changes happened in which order. A process holds copies. What a
// process believes is checked again in the transaction that writes.
//
// # One section
//
//	queue → acquire → known call? → run on a copy → commit → release → publish
//	                     │ yes                        │ lock lost
//	                     ▼                            ▼
//	              recorded result               ErrLockExpired, nothing written
//
// The queue is local and first-come-first-served: of each process only one call at a time asks the store for a
// session. [Driver.Acquire] makes the process the session's only holder, across processes. The author's function then
// works on a decoded copy. [Held.Commit] writes everything in one transaction: documents, ledger entry, outbox rows, the
// task list, messages, the change for the log, the next revision. Followers are told after that, never before.
//
// # Locks, leases, fencing
//
// A driver keeps its hold in the way of its engine: a mutex, a lease with a term, a row lock in an open transaction. The
// rules are the same for all:
//
//   - A hold ends by commit, by release, or by the lapse of its lease. The service renews a lease (default 1.5 s) while the
//     function runs, up to the section's deadline (default 5 s, counted from the moment the lock was had). A process that
//     dies stops renewing, so its sessions are free again within one lease.
//   - The deadline is for what the function takes, the View of the states that it changed included. Time in which the process
//     did not run (it was stopped, the machine slept or was starved) counts for next to nothing, so a section that a pause
//     interrupts goes on, or finds its lease lapsed, which is worth a retry; only a function that is slow overruns.
//   - A lease is a promise about time, and clocks and schedulers break such promises: a process may be paused for longer
//     than its lease and wake up believing that it holds the session. Therefore the commit carries the term, an id that
//     is never used twice, and the store writes only if that term still holds the session. This is the fence. A stale
//     holder gets [holdfast.ErrLockExpired] and has changed nothing.
//   - A term is random and unique rather than a counter: a counter that lives in the session's row would start
//     again when the session expires and is created anew.
//
// What is not promised: that a stale holder's function stops running. Its context is cancelled; if it does not look, it
// runs on beside the new holder, on its own copy, and what it does is thrown away. Effects outside of the state (a mail
// sent from a section) are not fenced by anything.
//
// # Exactly once: the ledger
//
// A call has a [Key]. The result of a call is recorded under its key in the transaction that applies it, so a call is
// applied if and only if its key is in the ledger. A repeat finds the key and answers with the recorded result, without
// running anything. A call that failed recorded nothing and may be tried again.
//
// Calls are numbered by who makes them, the owner: a task, or one load of a page. Beside its entries each owner has a mark,
// which is small and bounded. What a ledger has forgotten it refuses, it never runs it:
//
//   - A task says with each call up to which number it never asks again. Those entries go, except the last 4,096, and the mark
//     keeps the number: a call up to it that is not recorded is [ErrForgotten]. So a worker that wakes up far behind the one that
//     went on applies nothing.
//   - A page's events have no entries. The mark keeps the highest number that was applied and, of the 256 below it, those
//     that were not: they were refused. A number below the highest is a repeat, or ErrForgotten. Its cancels are numbered with its
//     events. What runs for the load of a page is noted in the mark as well.
//   - A triggered event has a row in the outbox, which its commit strikes out. A row that is not there any more is a repeat.
//   - A page has to [Service.Join] before its events are applied: that makes its mark, and says from where on its numbers count
//     if the mark had been forgotten. With the session's epoch in the call ([Call.Epoch]), an event that was sent in another
//     life of the session is [ErrOtherEpoch].
//
// Owners that have not called, and were not touched, for a day and are no listed task are forgotten, mark and all. A page that is
// open touches its own.
//
// # Once it has ended
//
// The mark of a task keeps its current run, the runs before that, and whether it has ended: a tombstone, which [Service.TaskEnded]
// leaves under the lock. A section of a run that has ended, or that another run has followed, is [holdfast.ErrTaskEnded],
// however late it comes; only what was recorded is still answered. The first Final call of a run, that of a Finally section, ends its
// other calls. A run that the session does not know, of a task that was reset or has continued as new, or of a task that is on
// no list, is [ErrTaskNotListed]: package activities asks Temporal whether it is open, and only then makes it the task's current run
// and lists the task again. A task that was struck out before it was started is let in by no run.
//
// # Starting, cancelling, triggering: the outbox
//
// A task that a section starts is a row in the outbox, written with the section. A relay (package starter) reads the
// outbox, starts the workflow under the id that the row fixed, and strikes the row out. It may die between the last two; the
// next relay starts the same id again, which Temporal refuses, and strikes the row out. So a task is started if and only if
// its section committed, and not twice. A task that is to be cancelled and an event that is to be triggered are rows as well; a
// triggered event settles its row in its own commit, and so runs once.
//
// Whether a task may start beside others of its name is decided in the commit that asks for it, where the session's list is
// known to be true. One that supersedes others is deferred: it is listed, the others are asked to end, and the commit that takes the last
// of them off the list puts its row into the outbox.
//
// A task that is cancelled while its start waits goes off the list in one commit with its start, and a tombstone keeps a start that
// some relay is about to make from writing anything. The row of the cancellation stays until no such start can come any more, and
// ends what has come.
//
// A task that ended without a word (its workflow was terminated, timed out, or is not there) has its Finally sections put into the
// outbox in the commit that takes it off the list, under the keys that the task itself would have used: what it had run, the
// ledger knows.
//
// # Who is there: presence
//
// Each starter notes here of which sessions it holds a connection ([Presence]), and
// renews a lease of [PresenceLease]. When the lease lapses, the other starters find the
// notes of the dead one, tell the sessions' tasks in its stead, and remove the notes. A
// note of a page that has left stays until all of the session's tasks know, so that a
// starter's death loses no word.
//
//   - Whether a lease has lapsed is decided by the store's clock, in the renewal itself:
//     the [Lease] then has another term, and the starter says again who is there. No
//     clock of a starter is asked, which may have slept with its machine.
//   - A note is removed only while its starter's lease is lapsed, in one step with the
//     look at the lease. What a starter notes after it has come back is not touched.
//   - A starter declares others dead only after a whole lease of its own uninterrupted
//     renewals. After an outage of the store all leases have lapsed, and who renews first
//     knows nothing of the others yet.
//
// # Clocks
//
// What is decided by time is decided by the store's clock: leases of sessions and of starters, what expires, and when owners of the
// ledger are forgotten. With SQLite and in memory that is the time since the machine's boot, which cannot be set. The clocks of processes need not agree; they give the times
// that people see (of changes, tasks and rows of the outbox) and decide nothing. What a starter decides by the age of a task
// it decides by the time for which it has seen the task itself.
//
// # Following changes
//
// Each commit that changed something visible gets the session's next revision and an entry in a bounded log. A
// [Position] is an epoch and a revision: the epoch is drawn when a session is created, so that a position in a session
// that expired means nothing in its successor. A [Reader] gives every change after its position in order, or, where the log
// no longer reaches back, a whole [Snapshot]; never a silent gap. Notifications between processes may be lost or
// doubled: they only say "look", and a reader looks now and then without being told.
//
// # Programs of two versions
//
// In a rolling deploy, and after a rollback, a document has members that the running code does not know. They survive its
// commits: in a struct beside its fields, in the values of a map by their key, and in a list with the element that has the same
// known content, or the same index if the list has kept its length. What a section removes goes with all its members. A type
// with its own MarshalJSON or UnmarshalJSON is written whole. A section that changed nothing of a document leaves it as it is.
//
// # Limits
//
// What a section writes is bounded in bytes of JSON as it is sent and in depth ([holdfast.MaxArgument], [MaxDepth] and those
// beside them). The section that exceeds a limit fails, with an error that names the value, its size and the limit.
//
// # Failures
//
//   - The process dies before the commit: nothing happened. The call is repeated by who made it.
//   - It dies after the commit, before the answer: the repeat is answered from the ledger.
//   - The commit's answer is lost: the caller sees an error, and does not know; the repeat tells.
//   - The store is away: calls fail with the driver's error, which is retried; nothing is half done.
//   - A function panics or returns an error: nothing is written, the session is free at once.
package state
