package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/config"
)

// badValues has for each key one value, written as a variable would be, that the key must refuse.
func badValues() map[string]string {
	return map[string]string{
		"log.level":           "Info",
		"log.format":          "xml",
		"temporal.address":    "foo",
		"temporal.namespace":  "two words",
		"temporal.task_queue": "two words", "temporal.workflow_task_timeout": "999ms",
		"state.url": "sqlite:",

		"temporal.profile":            "two words",
		"temporal.config_file":        " ",
		"temporal.api_key":            "hunter2 ",
		"temporal.tls":                "yes",
		"temporal.tls_ca_file":        " ca.pem",
		"temporal.tls_cert_file":      "cert.pem ",
		"temporal.tls_key_file":       " ",
		"temporal.tls_server_name":    "two words",
		"temporal.setup":              "1",
		"temporal.search_attributes":  "none",
		"temporal.encryption_keys":    "first:hunter2",
		"starter.tls_cert_file":       " ",
		"starter.tls_key_file":        " ",
		"starter.operator_address":    "8081",
		"worker.operator_address":     "localhost",
		"worker.activity_slots":       "0",
		"worker.local_activity_slots": "-1",
		"worker.workflow_slots":       "1",
		"worker.activity_pollers":     "1001",
		"worker.workflow_pollers":     "1",
		"worker.sticky_cache":         "10000001",
		"codec.address":               "localhost",
		"codec.token":                 "hunter2",
		"codec.origins":               "http://localhost:8233/",
		"tracing.endpoint":            "localhost:4318",
		"tracing.sample":              "NaN",

		"starter.address":       "8080",
		"starter.session_key":   "hunter2",
		"starter.origins":       "https://example.com/path",
		"starter.workflows_url": "localhost:8233",
		"starter.ping_interval": "10",
		"starter.ping_timeout":  "-1s",
		"starter.write_timeout": "0", "starter.refusal_pause": "61s",

		"starter.heartbeat_interval": "999ms",
		"starter.heartbeat_timeout":  "25h",
		"starter.nap_below":          "61s",

		"section.deadline":     "1m1s",
		"session.expire_after": "59s",
		"changes.keep":         "0",
		"messages.keep":        "many",
		"worker.stop_timeout":  "soon",
		"dev.directory":        " ",
		"dev.temporal_port":    "65536",
		"dev.ui_port":          "80.5",
		"dev.ephemeral":        "yes",
	}
}

func TestEveryKeyRefusesABadValue(t *testing.T) {
	t.Parallel()
	bad := badValues()
	require.Len(t, bad, len(config.Keys()))
	for _, k := range config.Keys() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			value, ok := bad[k.Name]
			require.True(t, ok, "the table of this test lacks the key")
			section, name, _ := strings.Cut(k.Name, ".")
			requireRefused(t, places{file: section + ":\n  " + name + ": '" + value + "'\n"}, k, "holdfast.yaml")
			requireRefused(t, places{environ: []string{k.Env() + "=" + value}}, k, k.Env())
			if k.Flag() != "" {
				requireRefused(t, places{args: []string{"--" + k.Flag() + "=" + value}}, k, "--"+k.Flag())
			}
		})
	}
}

func requireRefused(t *testing.T, p places, k config.Key, source string) {
	t.Helper()
	c, err := p.load(t)
	require.ErrorContains(t, err, "config: "+k.Name+": ")
	require.ErrorContains(t, err, "(from "+source+")")
	require.NotContains(t, err.Error(), "hunter2")
	require.NotContains(t, err.Error(), "\n", "one problem is one line")
	require.Zero(t, c)
	var keyError *config.KeyError
	require.ErrorAs(t, err, &keyError)
	require.Equal(t, k.Name, keyError.Key)
	require.Equal(t, source, keyError.Source)
}

func TestEveryKeyRefusesWhatIsNotAValue(t *testing.T) {
	t.Parallel()
	for _, k := range config.Keys() {
		for _, value := range []string{"{a: 1}", "[[1]]", "[1]", "2001-01-01", "", "~", "1.5"} {
			_, err := places{file: k.Name + ": " + value}.load(t)
			require.ErrorContains(t, err, "config: "+k.Name+": ", "value %s", value)
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for sentence, p := range map[string]places{
		`config: temporal.address: "foo" is not host:port, or empty (from HOLDFAST_TEMPORAL_ADDRESS)`: {
			environ: []string{"HOLDFAST_TEMPORAL_ADDRESS=foo"},
		},
		`config: section.deadline: 10 has no unit; it is to be a duration from 1ms to 1m, such as 5s (from holdfast.yaml)`: {
			file: "section: {deadline: 10}",
		},
		`config: section.deadline: "" is not a duration from 1ms to 1m, such as 5s (from --section-deadline)`: {
			args: []string{"--section-deadline="},
		},
		`config: starter.session_key: the value (not shown) is not text to YAML; put it in quotes (from holdfast.yaml)`: {
			file: "starter: {session_key: 12345678901234567890123456789012}",
		},
		`config: state.url: "mysql://…" (the rest is not shown) is not sqlite:PATH, postgres://HOST/DATABASE, redis://HOST or memory:, a slash or @ in the password written as %2F or %40 (from HOLDFAST_STATE_URL)`: { //nolint:lll // a sentence in one piece
			environ: []string{"HOLDFAST_STATE_URL=mysql://me:p@ss/w@db/x"},
		},
		`config: starter.origins: "ok.ex,[" is not a list of hosts, such as app.example.com, *.example.com or https://example.com: "[" does not fit (from --starter-origins)`: {
			args: []string{"--starter-origins=ok.ex,["},
		},
		`config: starter.ping_timeout: 20s is not above starter.ping_interval, which is 20s from --starter-ping-interval (from the default)`: {
			args: []string{"--starter-ping-interval=20s"},
		},
		`config: starter.heartbeat_timeout: 30s is not above starter.heartbeat_interval, which is 1m from the default (from --starter-heartbeat-timeout)`: {
			args: []string{"--starter-heartbeat-timeout=30s"},
		},
		`config: starter.tls_key_file: it is empty, but starter.tls_cert_file is set; expected both or neither (from the default)`: {
			args: []string{"--starter-tls-cert-file=cert.pem"},
		},
		`config: temporal.tls_cert_file: it is empty, but temporal.tls_key_file is set; expected both or neither (from the default)`: {
			file: "temporal: {tls_key_file: key.pem}",
		},
		`config: temporal.encryption_keys: the value (not shown) is not [plain,]ID:KEY[,ID:KEY…] with keys of 32 random bytes in base64, or empty (from HOLDFAST_TEMPORAL_ENCRYPTION_KEYS)`: { //nolint:lll // a sentence in one piece
			environ: []string{"HOLDFAST_TEMPORAL_ENCRYPTION_KEYS=a:c2hvcnQ="},
		},
		`config: temporal.addr: no such key; did you mean temporal.address? (from holdfast.yaml)`: {file: "temporal: {addr: x}"},
		`config: Log: no such key (from holdfast.yaml)`:                                           {file: "Log: {level: info}"},
		`config: log.Level: no such key; did you mean log.level? (from holdfast.yaml)`:            {file: "log: {Level: info}"},
		`config: log.level: it is given twice (from holdfast.yaml)`:                               {file: "log: {level: info}\nlog.level: warn"},
		`config: log.level: it has no value; leave the line out for the default (from holdfast.yaml)`: {
			file: "log:\n  level:\n  format: text",
		},
		`config: log: it is a section, with the keys log.level, log.format (from holdfast.yaml)`: {file: "log: debug"},
		`config: HOLDFAST_LOGLEVEL: no such setting; did you mean HOLDFAST_LOG_LEVEL? (from the environment)`: {
			environ: []string{"HOLDFAST_LOGLEVEL=info"},
		},
		`config: HOLDFAST_DEV_TEMPRAL_PORT: no such setting; did you mean HOLDFAST_DEV_TEMPORAL_PORT? (from the environment)`: {
			environ: []string{"HOLDFAST_DEV_TEMPRAL_PORT=7000"},
		},
		`config: HOLDFAST_: no such setting (from the environment)`:      {environ: []string{"HOLDFAST_=1"}},
		`config: holdfast.yaml: it is not a mapping from keys to values`: {file: "hunter2"},
	} {
		_, err := p.load(t)
		require.EqualError(t, err, sentence)
	}
}

func TestBrokenFile(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"log: [", "log: {}\nlog: {}", "log:\n level: a\n  format: b"} {
		_, err := places{file: content}.load(t)
		require.ErrorContains(t, err, "config: holdfast.yaml: ", content)
		require.ErrorContains(t, err, "line ", content)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := places{
		file:    "log: {level: loud, colour: blue}\nweather: {}\nstarter: {session_key: hunter2}",
		environ: []string{"HOLDFAST_WEATHER=1", "HOLDFAST_CHANGES_KEEP=0"},
		args:    []string{"--ui-port=x", "--config=holdfast.yaml"},
	}.load(t)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 7, err)
	for i, key := range []string{"log.colour", "weather", "HOLDFAST_WEATHER", "log.level", "starter.session_key", "changes.keep", "dev.ui_port"} {
		require.True(t, strings.HasPrefix(lines[i], "config: "+key+": "), "%d: %s", i, lines[i])
	}
	require.NotContains(t, err.Error(), "hunter2")
	require.ErrorAs(t, err, new(*config.KeyError))
}

func TestGoodValuesAtTheEdge(t *testing.T) {
	t.Parallel()
	_, err := places{environ: []string{
		"HOLDFAST_STARTER_ADDRESS=:0", "HOLDFAST_TEMPORAL_ADDRESS=[::1]:65535", "HOLDFAST_STATE_URL=memory:",
		"HOLDFAST_SECTION_DEADLINE=1m", "HOLDFAST_SESSION_EXPIRE_AFTER=1m", "HOLDFAST_CHANGES_KEEP=100000",
		"HOLDFAST_WORKER_STOP_TIMEOUT=1ms", "HOLDFAST_STARTER_PING_TIMEOUT=10001ms",
	}, file: "worker.activity_pollers: 0"}.load(t)
	require.NoError(t, err)
}

func TestLongValueIsCut(t *testing.T) {
	t.Parallel()
	_, err := places{environ: []string{"HOLDFAST_LOG_FORMAT=" + strings.Repeat("ü", 10_000)}}.load(t)
	require.ErrorContains(t, err, "ü… is not one of text, json")
	require.Less(t, len(err.Error()), 300)
}
