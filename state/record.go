package state

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/holdfast-run/holdfast"
)

// Record is what a session holds at one commit.
type Record struct {
	Session holdfast.SessionID
	// Epoch is drawn when the session is created; empty for a session that does not exist.
	Epoch string
	// Version counts all commits.
	Version int64
	// Revision counts the commits that changed something visible.
	Revision int64
	// LastMessage is the number of the last message.
	LastMessage int64
	// Documents are the states that were ever written.
	Documents holdfast.Documents
	// Tasks are the session's tasks, oldest first.
	Tasks []Task
	// Deferred are starts of tasks on the list that wait for those they supersede to end.
	Deferred []Pending
}

// Position returns the record's place in the order of changes.
func (r *Record) Position() Position { return Position{Epoch: r.Epoch, Revision: r.Revision} }

// Position is a place in the order of a session's changes: after the given revision of the given epoch.
type Position struct {
	Epoch    string
	Revision int64
	// Mark is that of the change which made the revision, by which a reader finds out that the store has lost it; see [Change.Mark].
	// Empty: not known, and nothing is found out. Drivers pass it over.
	Mark string
}

// Status is where a task stands.
type Status string

const (
	// StatusStarting is a task whose section has committed and whose workflow has not been started yet.
	StatusStarting Status = "starting"
	// StatusRunning is a task whose workflow runs.
	StatusRunning Status = "running"
	// StatusCancelling is a task that has been asked to end and has not ended yet.
	StatusCancelling Status = "cancelling"
	// StatusStuck is a task whose workflow is there and does not move: its turns fail again and again, as when the workers'
	// code does not fit it. The task's Error says why. It runs again when they succeed.
	StatusStuck Status = "stuck"
	// StatusFailed is a task that ended with an error. It stays on the list for a while, or until one of its name is started.
	StatusFailed Status = "failed"
)

// Task is one entry of a session's list of tasks. It comes with the commit that started the task and goes when the task has
// ended, however it ended; after a failure it stays for a while. A page gets ID, Name, Status, Since and Error; the other
// fields stay on the server.
type Task struct {
	ID     holdfast.TaskID `json:"id"`
	Name   string          `json:"name"`
	Status Status          `json:"status"`
	// Since is when the task was asked for; of a failed one, when it failed.
	Since time.Time `json:"since"`
	// Error is what a failed task failed with, and why a stuck one is stuck.
	Error string `json:"error,omitempty"`
	// Bound reports a task that is cancelled when its page has gone, and so listens for heartbeats. It is the policy of the
	// program that asked for the task, and stays so for the task's whole life, whatever later programs say.
	Bound bool `json:"bound,omitempty"`
	// Chain is the first run id of the task's chain of runs, once a section has told it.
	Chain string `json:"chain,omitempty"`
	// Finally are the names of the Finally sections that the task has registered, in that order. Should the task end
	// without running them, the outbox does.
	Finally []string `json:"finally,omitempty"`
	// Cancels is how often the task was asked to end.
	Cancels int `json:"cancels,omitempty"`
}

// Live reports a task that has not ended.
func (t Task) Live() bool { return t.Status != StatusFailed }

// Message is something told to the page once.
type Message struct {
	// ID counts up within the session's epoch, from 1.
	ID   int64           `json:"id"`
	Name string          `json:"name"`
	Data json.RawMessage `json:"data"`
	// Revision is the change that the message came with.
	Revision int64 `json:"revision,omitempty"`
}

// Change is one committed, visible change.
type Change struct {
	Revision int64 `json:"revision"`
	// States has a JSON merge patch (RFC 7396) for each state whose visible form changed.
	States map[string]json.RawMessage `json:"states,omitempty"`
	// Tasks is the whole new list, if it changed.
	Tasks *[]Task `json:"tasks,omitempty"`
	// Messages are the new ones.
	Messages []Message `json:"messages,omitempty"`
	// At is when it was committed; zero for one of an earlier program.
	At time.Time `json:"at,omitzero"`
	// Trace is the span that made it, as a W3C traceparent; empty without a tracer.
	Trace string `json:"trace,omitempty"`
}

// Mark tells the change from another one of the same revision. A store can have two only one after the other: when it lost the first, as
// in a failover to a replica that had not heard of it yet, and counted on.
func (c *Change) Mark() string {
	if c.At.IsZero() {
		return ""
	}
	const shortest = 36
	return strconv.FormatInt(c.At.UnixMicro(), shortest)
}

// Snapshot is all that the client of a session may see at one moment.
type Snapshot struct {
	Position Position
	// States are the visible forms of all states of the app, those never written included.
	States map[string]json.RawMessage
	Tasks  []Task
	// Messages are the kept ones that came after the position the reader asked from; none for a reader without one.
	Messages []Message
	// Lost reports that the store has lost changes that the reader had: what it knows is of a past that is no more, and ids of messages
	// come again.
	Lost bool
}

// Kind is what a row of the outbox asks for.
type Kind string

const (
	// KindStart starts a task's workflow.
	KindStart Kind = "start"
	// KindCancel cancels a task's workflow.
	KindCancel Kind = "cancel"
	// KindTrigger runs an event.
	KindTrigger Kind = "trigger"
	// KindFinally runs a Finally section of a task that ended without running it.
	KindFinally Kind = "finally"
)

// Pending is a row of the outbox: its section has committed, what it asks for is to be done. A session's rows are done in order.
type Pending struct {
	// ID is unique. That of a start is the task's.
	ID      string             `json:"id"`
	Kind    Kind               `json:"kind"`
	Session holdfast.SessionID `json:"session"`
	// Task is the task to start or to cancel, or whose Finally section it is.
	Task holdfast.TaskID `json:"task,omitempty"`
	// App and Name find the task, event or section among the registered ones.
	App  string `json:"app"`
	Name string `json:"name"`
	// Argument is that of the task or event as JSON, or nil; of a cancellation the reason, of a Finally section what keys it.
	Argument json.RawMessage `json:"argument,omitempty"`
	At       time.Time       `json:"at"`
	// Trace is the span that asked for it, as a W3C traceparent; empty without a tracer.
	Trace string `json:"trace,omitempty"`
	// Bound is that of the task to start; see [Task].
	Bound bool `json:"bound,omitempty"`
}
