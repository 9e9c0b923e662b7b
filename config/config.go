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
	Codec    Codec
	Tracing  Tracing
	Dev      Dev
}

// Log says what is logged, and how.
type Log struct {
	// Level is log.level, the least level that is logged: debug, info, warn or error. Defaults to info.
	Level slog.Level
	// Format is log.format, "text" or "json". Defaults to text.
	Format string
}

// Temporal says which Temporal server runs the tasks. What is empty here is looked for in Temporal's own configuration, which
// its CLI and its samples share: TEMPORAL_ variables over a profile of temporal.toml; see
// https://docs.temporal.io/develop/environment-configuration.
type Temporal struct {
	// Address is temporal.address, the host:port of its frontend. Defaults to none: as Temporal's own configuration says, or
	// else 127.0.0.1:7233.
	Address string
	// Namespace is temporal.namespace. Defaults to none: as Temporal's own configuration says, or else default.
	Namespace string
	// Profile is temporal.profile, and ConfigFile temporal.config_file, where Temporal's own configuration is. Default to none:
	// TEMPORAL_PROFILE and TEMPORAL_CONFIG_FILE, or else the profile default of the user's temporal.toml.
	Profile, ConfigFile string
	// APIKey is temporal.api_key. Defaults to none.
	APIKey Secret
	// TLS is temporal.tls: on, off or auto, which is on with an API key, a certificate, or when Temporal's own configuration says so.
	// Defaults to auto.
	TLS string
	// TLSCAFile is temporal.tls_ca_file, a PEM file with what the server's certificate is checked against. Defaults to none, and then
	// it is what the system trusts.
	TLSCAFile string
	// TLSCertFile and TLSKeyFile are temporal.tls_cert_file and temporal.tls_key_file, the client's certificate and its key in PEM, for
	// mTLS. Both or neither; default to none.
	TLSCertFile, TLSKeyFile string
	// TLSServerName is temporal.tls_server_name, the name in the server's certificate. Defaults to none: the address's host.
	TLSServerName string
	// Setup is temporal.setup: create the namespace and the search attributes where they are missing. Defaults to false, and then
	// a missing one stops the program.
	Setup bool
	// SearchAttributes is temporal.search_attributes: give each workflow the search attributes HoldfastApp, HoldfastTask and
	// HoldfastSession, by which people find it. Defaults to true; false is for a namespace that cannot have them.
	SearchAttributes bool
	// EncryptionKeys is temporal.encryption_keys, with which all that tasks store in Temporal is encrypted: ID:KEY[,ID:KEY…], each
	// key 32 random bytes in base64. The first encrypts, all decrypt; with "plain," before them none encrypts, which is how encryption is
	// brought in and taken back while tasks run (see package codec). The same for all programs; defaults to none.
	EncryptionKeys Secret
	// TaskQueue is temporal.task_queue, on which starter and worker meet. Defaults to holdfast.
	TaskQueue string
	// WorkflowTaskTimeout is temporal.workflow_task_timeout, the time that a worker may take for one turn of a task; for inline tasks
	// at most 2s count. From 1s to 2m. Defaults to 10s.
	WorkflowTaskTimeout time.Duration
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
	// TLSCertFile and TLSKeyFile are starter.tls_cert_file and starter.tls_key_file, the certificate to serve with and its key, in
	// PEM. Both or neither; default to none, and then TLS is left to a proxy.
	TLSCertFile, TLSKeyFile string
	// OperatorAddress is starter.operator_address, the host:port of /healthz, /readyz and /metrics, which are for operators alone.
	// Empty: there are none. Defaults to 127.0.0.1:8081.
	OperatorAddress string
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
	// RefusalPause is starter.refusal_pause, how long an address at most has to wait for its next connection whose last ones were
	// refused again and again. Above 0. Defaults to 500ms.
	RefusalPause time.Duration
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
	// OperatorAddress is worker.operator_address, the host:port of /healthz, /readyz and /metrics, which are for operators alone.
	// Empty: there are none. Defaults to 127.0.0.1:8082.
	OperatorAddress string
	// ActivitySlots, LocalActivitySlots and WorkflowSlots are worker.activity_slots, worker.local_activity_slots and
	// worker.workflow_slots: how many sections and activities, inline sections, and turns of workflows run at a time. 1 (of workflows
	// 2) to 100000, default to 1000.
	ActivitySlots, LocalActivitySlots, WorkflowSlots int
	// ActivityPollers and WorkflowPollers are worker.activity_pollers and worker.workflow_pollers, how many polls are open at a
	// time. 0, the default, leaves it to the SDK and the server.
	ActivityPollers, WorkflowPollers int
	// StickyCache is worker.sticky_cache, the number of workflows kept in memory; others are replayed from their histories when they
	// go on. Defaults to 10000.
	StickyCache int
}

// Codec is for the codec server, which decrypts for people who look at tasks in the Temporal Web UI.
type Codec struct {
	// Address is codec.address, the host:port to listen on. Defaults to 127.0.0.1:8089.
	Address string
	// Token is codec.token, what a person must know: at least 32 characters. Defaults to none, and then there is no codec server.
	Token Secret
	// Origins is codec.origins, the Web UIs whose pages may ask it. Defaults to http://localhost:8233 and http://127.0.0.1:8233.
	Origins []string
}

// Tracing says where traces go.
type Tracing struct {
	// Endpoint is tracing.endpoint, the URL of an OTLP/HTTP collector, such as http://localhost:4318. Headers and the like are taken
	// from the standard OTEL_EXPORTER_OTLP_ variables. Defaults to none, and then nothing is traced.
	Endpoint string
	// Sample is tracing.sample, the share of events that are traced, from 0 to 1. Defaults to 1.
	Sample float64
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
