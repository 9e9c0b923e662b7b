package config

import (
	"log/slog"
	"time"
)

// Config holds every setting, checked. It is a plain value: copy it, change it, hand its parts on. Each field names its
// key, its default and what is allowed; [Load] fills it and [Default] gives it as it is when nothing is set.
type Config struct {
	Log      Log
	Temporal Temporal
	State    State
	Starter  Starter
	Section  Section
	Session  Session
	Changes  Changes
	Messages Messages
	Worker   Worker
	Dev      Dev
}

// Log says what is logged, and how.
type Log struct {
	// Level is log.level, the least level that is logged: debug, info, warn or error. Defaults to info.
	Level slog.Level
	// Format is log.format, "text" or "json". Defaults to text.
	Format string
}

// Temporal says which Temporal server runs the tasks.
type Temporal struct {
	// Address is temporal.address, the host:port of its frontend. Defaults to 127.0.0.1:7233. A program that embeds its own
	// server puts that server's address here.
	Address string
	// Namespace is temporal.namespace. Defaults to default.
	Namespace string
	// TaskQueue is temporal.task_queue, on which starter and worker meet. Defaults to holdfast.
	TaskQueue string
}

// State says where the sessions are kept.
type State struct {
	// URL is state.url: sqlite:PATH, a path relative to the working directory; postgres://user:password@host:port/database or
	// redis://user:password@host:port (rediss:// for TLS), better given as a variable than as a flag, which others can see;
	// or memory:, which ends with the process.
	// Defaults to sqlite:.holdfast/state.db.
	URL string
}

// Starter is for the program that serves pages and starts tasks.
type Starter struct {
	// Address is starter.address, the host:port to listen on; without a host it listens on all interfaces, and port 0 is
	// any free one. Defaults to 127.0.0.1:8080.
	Address string
	// SessionKey is starter.session_key, with which session tokens are signed: at least 32 characters. Defaults to none, and
	// then the program makes one of its own. Starters that share sessions need the same key.
	SessionKey Secret
	// Origins is starter.origins: further hosts whose pages may connect, as patterns of path.Match ("*.example.com") and
	// optionally with their scheme ("https://example.com"). The starter's own host is always allowed. Defaults to none.
	Origins []string
	// WorkflowsURL is starter.workflows_url, the http or https URL of Temporal's Web UI, for links to a task's workflow.
	// Defaults to none, and then there are no links.
	WorkflowsURL string
	// PingInterval is starter.ping_interval, the time between two pings of a connection. Above 0. Defaults to 10s.
	PingInterval time.Duration
	// PingTimeout is starter.ping_timeout, the silence after which a connection is dead. Above PingInterval. Defaults to 20s.
	PingTimeout time.Duration
	// WriteTimeout is starter.write_timeout, the time a page may take to receive one frame before it is cut off. Above 0.
	// Defaults to 10s.
	WriteTimeout time.Duration
	// HeartbeatInterval is starter.heartbeat_interval, the time between two signals that tell a task that its page is still there;
	// changes are told at once. At least 1s. Defaults to 1m.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is starter.heartbeat_timeout, the time without a signal after which a task takes its page as gone. Above
	// HeartbeatInterval. Defaults to 3m.
	HeartbeatTimeout time.Duration
	// NapBelow is starter.nap_below: an inline task sleeps in its worker when the sleep is shorter. 2s where the server's timers
	// cannot be tuned, as on Temporal Cloud. Defaults to 100ms.
	NapBelow time.Duration
}

// Section is for the locked steps of a task.
type Section struct {
	// Deadline is section.deadline, the time a section may hold its session. Above 0, at most 1m. Defaults to 5s.
	Deadline time.Duration
}

// Session is for what is kept of one client.
type Session struct {
	// ExpireAfter is session.expire_after, the time after its last use at which a session may be removed. At least 1m.
	// Defaults to 1h.
	ExpireAfter time.Duration
}

// Changes is for the log of changes from which a page that was away catches up.
type Changes struct {
	// Keep is changes.keep, the number of changes kept of a session, 1 to 100000; further back a page gets a snapshot.
	// Defaults to 1000.
	Keep int
}

// Messages is for what sections emit to the page besides the state.
type Messages struct {
	// Keep is messages.keep, the number of messages kept of a session, 1 to 100000. Defaults to 100.
	Keep int
}

// Worker is for the program that runs tasks and sections.
type Worker struct {
	// StopTimeout is worker.stop_timeout, the time running sections get to end when the worker stops. At least 0, at most
	// 1h. Defaults to 3s.
	StopTimeout time.Duration
}

// Dev is for the development program, which has everything in one process.
type Dev struct {
	// Directory is dev.directory, where the embedded server keeps its files. Defaults to .holdfast.
	Directory string
	// TemporalPort is dev.temporal_port, on which the embedded server listens, 1 to 65535. Defaults to 7233.
	TemporalPort int
	// UIPort is dev.ui_port, on which the Web UI listens, 1 to 65535. Defaults to 8233.
	UIPort int
	// Ephemeral is dev.ephemeral: keep everything in memory and write no file. Defaults to false.
	Ephemeral bool
}

// Default returns the settings of a program that was told nothing.
func Default() Config {
	var c Config
	for _, k := range table(&c) {
		_ = k.set(k.Default) // a test holds that every default is a good value
	}
	return c
}
