// Package wire holds every name and payload that workflow histories remember, typed at both ends.
//
// A history outlives the program that wrote it: a change here must be able to read what earlier versions wrote. Fields may
// be added, with a zero value that means what was done before; none may be renamed or change its meaning.
package wire

import (
	"encoding/json"
	"time"
)

// The activity types that all apps' tasks share.
const (
	// TaskEnded takes a task off its session's list.
	TaskEnded = "holdfast.TaskEnded"
	// Request starts tasks and triggers events.
	Request = "holdfast.Request"
	// Read reads a state.
	Read = "holdfast.Read"
	// Present reads which starters hold a connection of the session.
	Present = "holdfast.Present"
	// Nap is a short sleep in the worker.
	Nap = "holdfast.Nap"
	// Register tells the state service which Finally sections a task has registered.
	Register = "holdfast.Register"
)

// StepHeartbeat is the heartbeat time-out of a Step whose author sets none. The worker beats for an activity with
// this time-out until it returns. With another time-out the author's own beats count.
const StepHeartbeat = 5 * time.Second

// What a task does that was started by a program of some level, or a later one. A task keeps the level that it was started with, so
// that its replay takes the same way.
const (
	// LevelSleepContinues lets a sleep continue as new.
	LevelSleepContinues = 1
	// LevelEndsInline takes an inline task off its session's list by a local activity.
	LevelEndsInline = 2
	// LevelNumbersCalls numbers the calls of a task (SectionInput.Seq). A task of an earlier level
	// has unnumbered calls to its end.
	LevelNumbersCalls = 3
	// LevelEndsCalls ends what a task has begun before its Finally sections run: when the task's function has
	// returned, its context is cancelled and outstanding calls are awaited. Step waits for its activity to end
	// when the task is cancelled, and update handlers are part of the task.
	LevelEndsCalls = 3
	// LevelTellsFinally tells the state service of Finally sections before the task waits.
	LevelTellsFinally = 3
	// LevelCountsSignals lets a pause continue as new when the run has received many signals.
	LevelCountsSignals = 3
	// LevelCancelsTimedOut counts a task as cancelled, not as failed, whose activity ended with a time-out after the
	// task had been cancelled.
	LevelCancelsTimedOut = 3
	// LevelAsksForPages lets a task ask the state service who is connected before it ends for want of a page.
	LevelAsksForPages = 3
	// Level is that of this program.
	Level = 3
)

// SessionHeartbeat is the signal by which starters tell a task whether its session's page is there. Its payload is a [Heartbeat].
const SessionHeartbeat = "session-heartbeat"

// Heartbeat is what one starter knows of one session.
type Heartbeat struct {
	// Starter is whose connections it is about.
	Starter string `json:"starter"`
	// Connected reports that it holds at least one.
	Connected bool `json:"connected"`
}

// The types of application errors by which a task, or a person before the Web UI, tells failures of sections apart.
const (
	// ErrorSection is an error that the author's section returned.
	ErrorSection = "SectionError"
	// ErrorRejected is a holdfast.Rejection; its message is the bare sentence, which is for people.
	ErrorRejected = "Rejected"
	// ErrorPanic is a panic in the author's code; the details hold the stack. (The SDK has a type "PanicError" of its own, which
	// cannot carry details.)
	ErrorPanic = "Panic"
	// ErrorBadArgument is an input that does not fit the section or task.
	ErrorBadArgument = "BadArgument"
	// ErrorOverrun is a section that ran past its deadline time and again.
	ErrorOverrun = "Overrun"
	// ErrorNested is a section entered within a section of the same session.
	ErrorNested = "NestedSection"
	// ErrorTaskEnded is a section of a task's run that has ended.
	ErrorTaskEnded = "TaskEnded"
	// ErrorForgotten is a section of which it is no longer known whether it was applied.
	ErrorForgotten = "Forgotten"
	// ErrorFault is a fault of the machinery, which is retried until it passes.
	ErrorFault = "Fault"
	// ErrorMisuse is a call of package workflows that cannot work, such as an unregistered section.
	ErrorMisuse = "Misuse"
)

// TaskInput is the one input of every task's workflow.
type TaskInput struct {
	// Session is the session that the task belongs to.
	Session string `json:"session"`
	// Argument is what the task was started with.
	Argument json.RawMessage `json:"argument,omitempty"`
	// Disconnect says when the task is cancelled for want of a page; nil: it does not care.
	Disconnect *Disconnect `json:"disconnect,omitempty"`
	// Inline runs sections as local activities, and sleeps shorter than NapBelow in the worker.
	Inline   bool          `json:"inline,omitempty"`
	NapBelow time.Duration `json:"nap_below,omitempty"`
	// Level is that of the program that started the task.
	Level int `json:"level,omitempty"`
	// Carry is what an earlier run of the chain hands over by continue-as-new; nil in the first.
	Carry *Carry `json:"carry,omitempty"`
}

// Disconnect is fixed when the task is started.
type Disconnect struct {
	// Grace is how long nobody may be connected.
	Grace time.Duration `json:"grace"`
	// TimeToLive is how long a starter counts as connected that is not heard of.
	TimeToLive time.Duration `json:"time_to_live"`
	// Present are the starters that held a connection of the session when the task was started.
	Present []string `json:"present,omitempty"`
}

// Carry lets a run go on where the one before it stopped, although it runs the task's function from the top.
type Carry struct {
	// Steps are the steps outside of loops that have run, by position.
	Steps map[int]Step `json:"steps,omitempty"`
	// Loops are the loops that have begun, by position.
	Loops map[int]Loop `json:"loops,omitempty"`
	// Checkpoint is where a loop of the author's own stands.
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
	// Presence is what the task knows of its session's connections.
	Presence *Presence `json:"presence,omitempty"`
	// Calls is the number of the last call that was made.
	Calls int64 `json:"calls,omitempty"`
	// Handled counts the calls of update handlers.
	Handled int64 `json:"handled,omitempty"`
	// Told is how many Finally sections the state service knows of.
	Told int `json:"told,omitempty"`
	// Wakes has for each sleep under way, by position, when it ends.
	Wakes map[int]time.Time `json:"wakes,omitempty"`
}

// Checkpoint is where a loop of the author's own stands.
type Checkpoint struct {
	// Place is the position of the loop's first checkpoint.
	Place int `json:"place"`
	// Position is how far positions had been counted when the run left.
	Position int `json:"position"`
	// Value is the author's.
	Value json.RawMessage `json:"value,omitempty"`
}

// Presence is what a task knows of its session's connections.
type Presence struct {
	// Beats has for each starter that holds a connection when it was last heard of.
	Beats map[string]time.Time `json:"beats,omitempty"`
	// Gone is since when nobody holds one; nil while somebody does.
	Gone *time.Time `json:"gone,omitempty"`
}

// Step is one finished step outside of a loop.
type Step struct {
	// Name is the section's name, or "sleep"; a run that finds another name in this place has taken another branch.
	Name string `json:"name"`
	// Result is the section's result, if it has one.
	Result json.RawMessage `json:"result,omitempty"`
}

// Loop is where a loop stands.
type Loop struct {
	Name string `json:"name"`
	// Iteration is the next one to run, from 0.
	Iteration int64 `json:"iteration"`
	// Due is when it is due.
	Due time.Time `json:"due"`
	// Done reports that the loop has ended.
	Done bool `json:"done,omitempty"`
}

// SectionInput is the input of every section's activity.
type SectionInput struct {
	Session string `json:"session"`
	// Chain is the first run id of the task's chain of runs; with Position it keys the exactly-once ledger.
	Chain string `json:"chain"`
	// Position is the call's place in the task, such as "1", in a loop "2.17", in a Finally "end.1".
	Position string `json:"position"`
	// Input is the section's own input, if it takes one.
	Input json.RawMessage `json:"input,omitempty"`
	// Seq and Ack are those of RequestInput.
	Seq int64 `json:"seq,omitempty"`
	Ack int64 `json:"ack,omitempty"`
	// Finally are the names of the Finally sections registered so far, in the order of registration.
	Finally []string `json:"finally,omitempty"`
}

// TaskEndedInput is the input of TaskEnded. The task is the one whose workflow calls it.
type TaskEndedInput struct {
	Session string `json:"session"`
	// Failure is what the task failed with; empty when it ended well or was cancelled.
	Failure string `json:"failure,omitempty"`
	// Shown is what the page shows of the failure; empty: Failure itself.
	Shown string `json:"shown,omitempty"`
	// Kind is the type of the failure, and Stack that of a panic.
	Kind  string `json:"kind,omitempty"`
	Stack string `json:"stack,omitempty"`
	// Cancelled reports that it was cancelled.
	Cancelled bool `json:"cancelled,omitempty"`
}

// RequestInput is the input of Request. One of Task and Event is set.
type RequestInput struct {
	Session  string          `json:"session"`
	Chain    string          `json:"chain"`
	Position string          `json:"position"`
	Task     string          `json:"task,omitempty"`
	Event    string          `json:"event,omitempty"`
	Argument json.RawMessage `json:"argument,omitempty"`
	// Seq is the call's number within the task, from 1 over the whole chain of runs; 0: unnumbered.
	Seq int64 `json:"seq,omitempty"`
	// Ack is the lowest number that the task may still ask again. Every call below it has been answered,
	// and its answer is in the history.
	Ack int64 `json:"ack,omitempty"`
	// Finally are the names of the Finally sections registered so far, in the order of registration.
	Finally []string `json:"finally,omitempty"`
}

// RegisterInput is the input of Register.
type RegisterInput struct {
	Session string `json:"session"`
	Chain   string `json:"chain"`
	// Finally are the names of the Finally sections registered so far, in the order of registration.
	Finally []string `json:"finally"`
}

// ReadInput is the input of Read; its result is the state as JSON.
type ReadInput struct {
	Session string `json:"session"`
	State   string `json:"state"`
}

// PresentInput is the input of Present; its result is the starters that hold a connection of the session.
type PresentInput struct {
	Session string `json:"session"`
}
