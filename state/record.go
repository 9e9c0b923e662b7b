package state

import (
	"encoding/json"
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
	// Tasks are the session's running tasks, oldest first.
	Tasks []Task
}

// Position returns the record's place in the order of changes.
func (r *Record) Position() Position { return Position{Epoch: r.Epoch, Revision: r.Revision} }

// Position is a place in the order of a session's changes: after the given revision of the given epoch.
type Position struct {
	Epoch    string
	Revision int64
}

// Status is where a task stands.
type Status string

const (
	// StatusStarting is a task whose section has committed and whose workflow has not been started yet.
	StatusStarting Status = "starting"
	// StatusRunning is a task whose workflow runs.
	StatusRunning Status = "running"
)

// Task is one entry of a session's list of running tasks. It comes with the commit that started the task and goes when
// the task has ended, however it ended.
type Task struct {
	ID     holdfast.TaskID `json:"id"`
	Name   string          `json:"name"`
	Status Status          `json:"status"`
	Since  time.Time       `json:"since"`
}

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
}

// Snapshot is all that the client of a session may see at one moment.
type Snapshot struct {
	Position Position
	// States are the visible forms of all states of the app, those never written included.
	States map[string]json.RawMessage
	Tasks  []Task
	// Messages are the kept ones that came after the position the reader asked from; none for a reader without one.
	Messages []Message
}

// Pending is a task in the outbox: its section has committed, its workflow is to be started.
type Pending struct {
	ID      holdfast.TaskID
	Session holdfast.SessionID
	// App and Name find the task among the registered ones.
	App, Name string
	// Argument is the task's argument as JSON, or nil.
	Argument json.RawMessage
	At       time.Time
}
