package holdfast

import "strings"

// SessionID is the public name of a session, such as "counter-k5v2…": the app's name, a dash, and a one-way hash of the
// secret that the session's client holds. It opens nothing, so it may stand in logs, workflow ids and addresses.
type SessionID string

// App returns the name of the app that the session belongs to: what stands before the first dash.
func (id SessionID) App() string {
	app, _, _ := strings.Cut(string(id), "-")
	return app
}

// Key returns what tells the session apart from others of its app: what stands after the first dash.
func (id SessionID) Key() string {
	_, key, _ := strings.Cut(string(id), "-")
	return key
}

// TaskID is the id of one started task, which is also its Temporal workflow id, such as "counter.MyTask-k5v2…-9x3f…".
type TaskID string

// Session is the session that the task belongs to; empty if the id is not one of a task.
func (id TaskID) Session() SessionID {
	app, rest, _ := strings.Cut(string(id), ".")
	_, rest, _ = strings.Cut(rest, "-")
	key, random, ok := strings.Cut(rest, "-")
	if !ok || app == "" || key == "" || random == "" {
		return ""
	}
	return SessionID(app + "-" + key)
}

// Name is the name of the task; empty if the id is not one of a task.
func (id TaskID) Name() string {
	if id.Session() == "" {
		return ""
	}
	_, rest, _ := strings.Cut(string(id), ".")
	name, _, _ := strings.Cut(rest, "-")
	return name
}
