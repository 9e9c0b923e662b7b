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

	set func(raw any) error // parses raw into the field of the Config that the table was made for
}

// Keys returns all keys in the order of the example file. The slice is the caller's.
func Keys() []Key { return table(&Config{}) }

// table is all there is to know of the keys; a new one is a line here and a field of [Config]. What is set, is set in c.
func table(c *Config) []Key {
	const day = 24 * time.Hour
	return []Key{
		key("log.level", "info", "the least level that is logged", level(), &c.Log.Level),
		key("log.format", "text", "the form of a log line", oneOf("text", "json"), &c.Log.Format),

		key("temporal.address", "127.0.0.1:7233", "the frontend of the Temporal server", hostPort(1), &c.Temporal.Address),
		key("temporal.namespace", "default", "the Temporal namespace", name(), &c.Temporal.Namespace),
		key("temporal.task_queue", "holdfast", "the task queue on which starters and workers meet", name(), &c.Temporal.TaskQueue),

		key("state.url", "sqlite:.holdfast/state.db", "where the sessions are kept", stateURL(), &c.State.URL),

		key("starter.address", "127.0.0.1:8080", "where the starter listens", hostPort(0), &c.Starter.Address),
		key("starter.session_key", "", "signs the session tokens; empty: the program makes one of its own", secret(32), &c.Starter.SessionKey),
		key("starter.origins", "", "further hosts whose pages may connect", patterns(), &c.Starter.Origins),
		key("starter.workflows_url", "", "the Temporal Web UI, for links to workflows; empty: no links", webURL(), &c.Starter.WorkflowsURL),
		key("starter.ping_interval", "10s", "the time between two pings of a connection", duration(time.Millisecond, time.Hour), &c.Starter.PingInterval),
		key("starter.ping_timeout", "20s", "the silence after which a connection is dead; above ping_interval", duration(time.Millisecond, time.Hour), &c.Starter.PingTimeout),
		key("starter.write_timeout", "10s", "the time a page may take to receive one frame", duration(time.Millisecond, time.Hour), &c.Starter.WriteTimeout),
		key("starter.heartbeat_interval", "1m", "the time between two signals that tell a task of its page", duration(time.Second, time.Hour), &c.Starter.HeartbeatInterval),
		key("starter.heartbeat_timeout", "3m", "the silence after which its page is gone; above heartbeat_interval", duration(time.Second, day), &c.Starter.HeartbeatTimeout),
		key("starter.nap_below", "100ms", "shorter sleeps of inline tasks are naps; 2s on Temporal Cloud", duration(time.Millisecond, time.Minute), &c.Starter.NapBelow),

		key("section.deadline", "5s", "the time a section may hold its session", duration(time.Millisecond, time.Minute), &c.Section.Deadline),
		key("session.expire_after", "1h", "the time after its last use at which a session may be removed", duration(time.Minute, 0), &c.Session.ExpireAfter),
		key("changes.keep", "1000", "the number of changes kept of a session, for pages that were away", count(100_000), &c.Changes.Keep),
		key("messages.keep", "100", "the number of emitted messages kept of a session", count(100_000), &c.Messages.Keep),

		key("worker.stop_timeout", "3s", "the time running sections get to end when the worker stops", duration(0, time.Hour), &c.Worker.StopTimeout),

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
	return strings.NewReplacer(".", "-", "_", "-").Replace(strings.TrimPrefix(k.Name, "dev."))
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
	return Key{Name: name, Default: value, Doc: doc, Expected: as.expected, Type: as.typ, set: set}
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
