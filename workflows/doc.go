// Package workflows is what a background task calls. A task is an ordinary Temporal workflow function that is registered
// with an app; all of Temporal's workflow package is at its disposal, and this package adds what has to do with the
// session that the task belongs to:
//
//   - [Locked] runs a section with the session's state locked, [LockedWith] one that takes an input, [Do] and [DoWith]
//     those that give no result;
//   - [Every] is the loop of a section and a pause that most tasks are made of, for as long as it takes, and [Times] the same for
//     a known number;
//   - [Sleep] is a pause;
//   - [Step] runs an ordinary activity, for work that is neither quick nor under a lock;
//   - [Start] and [Trigger] have another task or an event run; [Read] gives a copy of the last committed state;
//   - [Finally] registers a section that runs when the task ends, however it ends, and [Cause] says why it was cancelled;
//   - [Checkpoint] lets a loop of the task's own go on for as long as it takes;
//   - [Inline] makes any of these cheap enough for a hot loop.
//
// A section runs as a Temporal activity under its own name, so the Web UI shows it with its input and result, and it is
// applied exactly once however often anything is retried. A fault of the machinery is retried until it passes. An error
// that the section returned would only repeat, so it comes back at once and, if the task hands it on, ends the task.
//
// # What a task must not do
//
// Workflow code is replayed, so it must be deterministic: the time from workflow.Now, no goroutines but workflow.Go, no
// channels but workflow.Channel, no randomness, no network (https://docs.temporal.io/workflow-definition#deterministic-constraints).
//
// A loop outgrows a history, so [Every], [Times], [Sleep] and [Checkpoint] let the task continue as new: the task's function is run
// again from the top in a fresh history. What it did through this package is remembered and not done again: sections answer with their results, sleeps are
// over, the loop goes on where it was. What it did in other ways is not: an activity or a child workflow that is called
// through the SDK before such a loop would run again, and a local variable that the loop changes starts again at its
// initial value. Keep what must last in the session's state, run activities with [Step], and give a loop's variables to
// [Checkpoint].
//
// # When the page goes
//
// A task ends with its page unless it was registered to continue (holdfast.TaskOptions). The starters signal it whenever a page
// of its session connects or goes (session-heartbeat). When none has been there for the grace period, or none was heard of for
// the time to live, the task's context is cancelled: what it waits for returns a *temporal.CanceledError, [Cause] wraps
// [ErrDisconnected], and the Finally sections run.
package workflows
