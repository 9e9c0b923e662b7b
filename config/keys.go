package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Key is one setting: its name, what it is for, and the forms in which it can be given.
type Key struct {
	// Name is the key as the file has it, such as "starter.ping_interval": a section, a dot and a name.
	Name string
	// Default is the value when nothing is set, written as an environment variable would be.
	Default string
	// Doc says in a few words what it is for.
	Doc string
	// Expected says what a value must be; "is not " can stand before it: "host:port".
	Expected string
	// Type is a word for help texts: bool, duration, int, list, secret or string.
	Type string

	set   func(raw any) error  // parses raw into the field of the Config that the table was made for
	shown func(raw any) string // as an error may show a value; nil: see show
}

// Keys returns all keys in the order of the example file. The slice is the caller's.
func Keys() []Key { return table(&Config{}) }

// table is all there is to know of the keys; a new one is a line below and a field of [Config]. What is set, is set in c.
func table(c *Config) []Key {
	return slices.Concat(logKeys(c), temporalKeys(c), stateKeys(c), starterKeys(c), sessionKeys(c), workerKeys(c), lookingKeys(c), devKeys(c))
}

func logKeys(c *Config) []Key {
	return []Key{
		key("log.level", "info", "the least level that is logged", level(), &c.Log.Level),
		key("log.format", "text", "the form of a log line", oneOf("text", "json"), &c.Log.Format),
	}
}

func temporalKeys(c *Config) []Key {
	tls := oneOf("auto", "on", "off")
	return []Key{
		key("temporal.address", "", "the frontend of the server; empty: as Temporal's own configuration says, or 127.0.0.1:7233", optional(hostPort(1)), &c.Temporal.Address),
		key("temporal.namespace", "", "the Temporal namespace; empty: as Temporal's own configuration says, or default", optional(name()), &c.Temporal.Namespace),
		key("temporal.profile", "", "the profile of Temporal's own configuration; empty: TEMPORAL_PROFILE, or default", optional(name()), &c.Temporal.Profile),
		key("temporal.config_file", "", "Temporal's own configuration; empty: TEMPORAL_CONFIG_FILE, or the user's temporal.toml", optional(filePath()), &c.Temporal.ConfigFile),
		key("temporal.api_key", "", "the API key, as for Temporal Cloud; empty: as Temporal's own configuration says", token(), &c.Temporal.APIKey),
		key("temporal.tls", "auto", "whether to use TLS; auto: with an API key or certificate, or as Temporal's own configuration says", tls, &c.Temporal.TLS),
		key("temporal.tls_ca_file", "", "the certificates that the server's is checked against; empty: those of the system", optional(filePath()), &c.Temporal.TLSCAFile),
		key("temporal.tls_cert_file", "", "the client's certificate, for mTLS", optional(filePath()), &c.Temporal.TLSCertFile),
		key("temporal.tls_key_file", "", "the key of the client's certificate", optional(filePath()), &c.Temporal.TLSKeyFile),
		key("temporal.tls_server_name", "", "the name in the server's certificate; empty: the address's", optional(name()), &c.Temporal.TLSServerName),
		key("temporal.setup", "false", "create the namespace and the search attributes that are missing", boolean(), &c.Temporal.Setup),
		key("temporal.search_attributes", "true", "give workflows the search attributes HoldfastApp, HoldfastTask and HoldfastSession", boolean(), &c.Temporal.SearchAttributes),
		key("temporal.encryption_keys", "", "encrypts what tasks store: the first key encrypts, all decrypt; empty: nothing is encrypted", keyRing(), &c.Temporal.EncryptionKeys),
		key("temporal.task_queue", "holdfast", "the task queue on which starters and workers meet", name(), &c.Temporal.TaskQueue),
		key("temporal.workflow_task_timeout", "10s", "the time a worker may take for one turn of a task; inline tasks: at most 2s", duration(time.Second, 2*time.Minute), &c.Temporal.WorkflowTaskTimeout),
	}
}

func stateKeys(c *Config) []Key {
	return []Key{
		key("state.url", "sqlite:.holdfast/state.db", "where the sessions are kept", stateURL(), &c.State.URL),
	}
}

func starterKeys(c *Config) []Key {
	const day = 24 * time.Hour
	return []Key{
		key("starter.address", "127.0.0.1:8080", "where the starter listens", hostPort(0), &c.Starter.Address),
		key("starter.tls_cert_file", "", "the certificate to serve with; empty: without TLS", optional(filePath()), &c.Starter.TLSCertFile),
		key("starter.tls_key_file", "", "the key of the certificate", optional(filePath()), &c.Starter.TLSKeyFile),
		key("starter.operator_address", "127.0.0.1:8081", "where a starter has /healthz, /readyz and /metrics; empty: nowhere", optional(hostPort(0)), &c.Starter.OperatorAddress),
		key("starter.session_key", "", "signs the session tokens; empty: the program makes one of its own", secret(32), &c.Starter.SessionKey),
		key("starter.origins", "", "further hosts whose pages may connect", patterns(), &c.Starter.Origins),
		key("starter.workflows_url", "", "the Temporal Web UI, for links to workflows; empty: no links", webURL(), &c.Starter.WorkflowsURL),
		key("starter.ping_interval", "10s", "the time between two pings of a connection", duration(time.Millisecond, time.Hour), &c.Starter.PingInterval),
		key("starter.ping_timeout", "20s", "the silence after which a connection is dead; above ping_interval", duration(time.Millisecond, time.Hour), &c.Starter.PingTimeout),
		key("starter.write_timeout", "10s", "the time a page may take to receive one frame", duration(time.Millisecond, time.Hour), &c.Starter.WriteTimeout),
		key("starter.refusal_pause", "500ms", "the longest pause before a connection of an address that was refused often", duration(time.Millisecond, time.Minute), &c.Starter.RefusalPause),
		key("starter.heartbeat_interval", "1m", "the time between two signals that tell a task of its page", duration(time.Second, time.Hour), &c.Starter.HeartbeatInterval),
		key("starter.heartbeat_timeout", "3m", "the silence after which its page is gone; above heartbeat_interval", duration(time.Second, day), &c.Starter.HeartbeatTimeout),
		key("starter.nap_below", "100ms", "shorter sleeps of inline tasks are naps; 2s on Temporal Cloud", duration(time.Millisecond, time.Minute), &c.Starter.NapBelow),
	}
}

func sessionKeys(c *Config) []Key {
	return []Key{
		key("section.deadline", "5s", "the time a section may hold its session", duration(time.Millisecond, time.Minute), &c.Section.Deadline),
		key("session.expire_after", "1h", "the time after its last use at which a session may be removed", duration(time.Minute, 0), &c.Session.ExpireAfter),
		key("changes.keep", "1000", "the number of changes kept of a session, for pages that were away", count(100_000), &c.Changes.Keep),
		key("messages.keep", "100", "the number of emitted messages kept of a session", count(100_000), &c.Messages.Keep),
	}
}

func workerKeys(c *Config) []Key {
	return []Key{
		key("worker.stop_timeout", "3s", "the time running sections get to end when the worker stops", duration(time.Millisecond, time.Hour), &c.Worker.StopTimeout),
		key("worker.operator_address", "127.0.0.1:8082", "where a worker has /healthz, /readyz and /metrics; empty: nowhere", optional(hostPort(0)), &c.Worker.OperatorAddress),
		key("worker.activity_slots", "1000", "the number of sections and activities that run at a time", count(100_000), &c.Worker.ActivitySlots),
		key("worker.local_activity_slots", "1000", "the number of inline sections that run at a time", count(100_000), &c.Worker.LocalActivitySlots),
		key("worker.workflow_slots", "1000", "the number of turns of workflows that run at a time; at least 2", between(2, 100_000), &c.Worker.WorkflowSlots),
		key("worker.activity_pollers", "0", "the number of polls for activities; 0: as many as the server suggests", between(0, 1000), &c.Worker.ActivityPollers),
		key("worker.workflow_pollers", "0", "the number of polls for turns of workflows; 0: as many as the server suggests", pollers(), &c.Worker.WorkflowPollers),
		key("worker.sticky_cache", "10000", "the number of workflows kept in memory; others are replayed when they go on", between(0, 10_000_000), &c.Worker.StickyCache),
	}
}

func lookingKeys(c *Config) []Key {
	return []Key{
		key("codec.address", "127.0.0.1:8089", "where the codec server listens, which decrypts for the Temporal Web UI", hostPort(0), &c.Codec.Address),
		key("codec.token", "", "what a person must know to have the codec server decrypt", secret(32), &c.Codec.Token),
		key("codec.origins", "http://localhost:8233,http://127.0.0.1:8233", "the Web UIs that may ask it, as their pages' origins", origins(), &c.Codec.Origins),
		key("tracing.endpoint", "", "the OTLP/HTTP endpoint that traces are sent to; empty: there are none", webURL(), &c.Tracing.Endpoint),
		key("tracing.sample", "1", "the share of events that are traced", share(), &c.Tracing.Sample),
	}
}

func devKeys(c *Config) []Key {
	return []Key{
		key("dev.directory", ".holdfast", "where the embedded server keeps its files", filePath(), &c.Dev.Directory),
		key("dev.temporal_port", "7233", "the port of the embedded Temporal server", count(65_535), &c.Dev.TemporalPort),
		key("dev.ui_port", "8233", "the port of the Temporal Web UI", count(65_535), &c.Dev.UIPort),
		key("dev.ephemeral", "false", "keep everything in memory, write no file", boolean(), &c.Dev.Ephemeral),
	}
}

// Env returns the environment variable of the key, such as "HOLDFAST_STARTER_PING_INTERVAL".
func (k Key) Env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_"))
}

// Flag returns the flag of the key without its hyphens, such as "starter-ping-interval", or "" for a secret, which has none.
func (k Key) Flag() string {
	if k.Type == typeSecret {
		return ""
	}
	name := strings.TrimPrefix(k.Name, "dev.")
	if name == "temporal.setup" {
		return "setup" // a word that people type
	}
	return strings.NewReplacer(".", "-", "_", "-").Replace(name)
}

// Section returns the first part of the name, such as "starter".
func (k Key) Section() string {
	section, _, _ := strings.Cut(k.Name, ".")
	return section
}

// key makes a line of the table.
func key[T any](name, value, doc string, as kind[T], field *T) Key {
	set := func(raw any) error {
		parsed, err := as.parse(raw)
		if errors.Is(err, errUnfit) {
			return fmt.Errorf("is not %s", as.expected)
		}
		if err != nil {
			return err
		}
		*field = parsed
		return nil
	}
	return Key{Name: name, Default: value, Doc: doc, Expected: as.expected, Type: as.typ, set: set, shown: as.shown}
}

// find returns the key called name.
func find(keys []Key, name string) (Key, bool) {
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		return Key{}, false
	}
	return keys[i], true
}

// sectionOf returns the names of the keys below section.
func sectionOf(keys []Key, section string) []string {
	var names []string
	for _, k := range keys {
		if k.Section() == section {
			names = append(names, k.Name)
		}
	}
	return names
}
