package config_test

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/config"
)

// places is a source that a test fills in: the file's content, variables, arguments.
type places struct {
	file    string
	environ []string
	args    []string
}

func (p places) load(t *testing.T) (config.Config, error) {
	t.Helper()
	dir := t.TempDir()
	if p.file != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "holdfast.yaml"), []byte(p.file), 0o600))
	}
	return config.Load(config.Source{Flags: parsed(t, p.args...), Environ: p.environ, Dir: dir})
}

func parsed(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.Flags(flags)
	require.NoError(t, flags.Parse(args))
	return flags
}

func TestLoadNothingIsDefault(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Source{Dir: t.TempDir()})
	require.NoError(t, err)
	require.Equal(t, config.Default(), c)
	require.Equal(t, config.Config{
		Log:      config.Log{Level: slog.LevelInfo, Format: "text"},
		Temporal: config.Temporal{TLS: "auto", SearchAttributes: true, TaskQueue: "holdfast", WorkflowTaskTimeout: 10 * time.Second},
		State:    config.State{URL: "sqlite:.holdfast/state.db"},
		Starter: config.Starter{
			Address: "127.0.0.1:8080", PingInterval: 10 * time.Second, PingTimeout: 20 * time.Second, WriteTimeout: 10 * time.Second,
			RefusalPause:      500 * time.Millisecond,
			HeartbeatInterval: time.Minute, HeartbeatTimeout: 3 * time.Minute, NapBelow: 100 * time.Millisecond,
			OperatorAddress: "127.0.0.1:8081",
		},
		Section:  config.Section{Deadline: 5 * time.Second},
		Session:  config.Session{ExpireAfter: time.Hour},
		Changes:  config.Changes{Keep: 1000},
		Messages: config.Messages{Keep: 100},
		Worker: config.Worker{
			StopTimeout: 3 * time.Second, OperatorAddress: "127.0.0.1:8082",
			ActivitySlots: 1000, LocalActivitySlots: 1000, WorkflowSlots: 1000, StickyCache: 10_000,
		},
		Codec:   config.Codec{Address: "127.0.0.1:8089", Origins: []string{"http://localhost:8233", "http://127.0.0.1:8233"}},
		Tracing: config.Tracing{Sample: 1},
		Dev:     config.Dev{Directory: ".holdfast", TemporalPort: 7233, UIPort: 8233},
	}, c)
}

func TestLoadOrderOfPlaces(t *testing.T) {
	t.Parallel()
	p := places{}
	queue := func() string {
		c, err := p.load(t)
		require.NoError(t, err)
		return c.Temporal.TaskQueue
	}
	require.Equal(t, "holdfast", queue())
	p.file = "temporal:\n  task_queue: from-file\n  namespace: kept\n"
	require.Equal(t, "from-file", queue())
	p.environ = []string{"HOLDFAST_TEMPORAL_TASK_QUEUE=from-env"}
	require.Equal(t, "from-env", queue())
	p.args = []string{"--temporal-task-queue=from-flag"}
	require.Equal(t, "from-flag", queue())

	c, err := p.load(t)
	require.NoError(t, err)
	require.Equal(t, "kept", c.Temporal.Namespace, "a key beside the overridden one")
}

func TestLoadEveryTypeFromEveryPlace(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef0123456789abcdef"
	want := config.Default()
	want.Log.Level = slog.LevelWarn
	want.Starter.SessionKey = config.NewSecret(key)
	want.Starter.Origins = []string{"*.example.com", "https://example.org"}
	want.Starter.WorkflowsURL = "http://ui.example.com/temporal"
	want.Section.Deadline = 90 * time.Millisecond
	want.Changes.Keep = 7
	want.Dev.Ephemeral = true

	// One value each in the place that is not the file is of another type than the file's.
	file := "log.level: warn\nstarter:\n  session_key: " + key + "\n  origins: ['*.example.com', https://example.org]\n" +
		"  workflows_url: http://ui.example.com/temporal/\nsection: {deadline: 90ms}\nchanges:\n  keep: 7\ndev:\n  ephemeral: true\nworker:\n"
	environ := []string{
		"HOLDFAST_LOG_LEVEL=warn", "HOLDFAST_STARTER_SESSION_KEY=" + key, "HOLDFAST_STARTER_ORIGINS=*.example.com, https://example.org",
		"HOLDFAST_STARTER_WORKFLOWS_URL=http://ui.example.com/temporal/", "HOLDFAST_SECTION_DEADLINE=90ms",
		"HOLDFAST_CHANGES_KEEP=7", "HOLDFAST_DEV_EPHEMERAL=true",
	}
	args := []string{
		"--log-level=warn", "--starter-origins", "*.example.com, https://example.org",
		"--starter-workflows-url=http://ui.example.com/temporal/", "--section-deadline", "90ms", "--changes-keep=7", "--ephemeral",
	}
	for name, p := range map[string]places{
		"file":             {file: file},
		"environment":      {environ: environ},
		"flags":            {args: args, environ: environ[1:2]},
		"all of different": {file: "changes.keep: 1\nstarter: {origins: [x.example]}\ndev.ephemeral: false", environ: environ},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := p.load(t)
			require.NoError(t, err)
			require.Equal(t, want, c)
		})
	}
}

func TestLoadNamedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"holdfast.yaml": "log.format: nonsense", "a.conf": "changes: {keep: 1}", "b.conf": "changes: {keep: 2}"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	load := func(environ []string, args ...string) (config.Config, error) {
		return config.Load(config.Source{Flags: parsed(t, args...), Environ: environ, Dir: dir})
	}
	c, err := load([]string{"HOLDFAST_CONFIG=a.conf"})
	require.NoError(t, err)
	require.Equal(t, 1, c.Changes.Keep)

	c, err = load([]string{"HOLDFAST_CONFIG=a.conf"}, "--config", filepath.Join(dir, "b.conf"))
	require.NoError(t, err)
	require.Equal(t, 2, c.Changes.Keep, "the flag goes before the variable, and an absolute path is taken as it is")

	_, err = load([]string{"HOLDFAST_CONFIG=missing.yaml"})
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, `"missing.yaml" (from HOLDFAST_CONFIG)`)
	_, err = load(nil, "--config=missing.yaml")
	require.ErrorContains(t, err, `"missing.yaml" (from --config)`)
	_, err = load(nil, "--config=.")
	require.ErrorContains(t, err, "cannot read the file")
}

func TestLoadLeavesOthersVariablesAlone(t *testing.T) {
	t.Parallel()
	c, err := places{environ: []string{
		"PATH=/bin", "HOLDFAST_LOG_LEVEL=", "HOLDFAST_CONFIG=", "HOLDFAST_TEST_REQUIRE=1",
		"HOLDFAST_SERVICE_HOST=10.0.0.1", "HOLDFAST_STARTER_SERVICE_PORT=80", "HOLDFAST_SERVICE_PORT_HTTP=80",
		"HOLDFAST_PORT=tcp://10.0.0.1:80", "HOLDFAST_PORT_80_TCP=tcp://10.0.0.1:80", "HOLDFAST_PORT_80_TCP_ADDR=10.0.0.1",
		"HOLDFAST_CHANGES_KEEP=5", "HOLDFAST_CHANGES_KEEP=6", "HOLDFAST_MESSAGES_KEEP=5", "HOLDFAST_MESSAGES_KEEP=",
	}}.load(t)
	require.NoError(t, err)
	want := config.Default()
	want.Changes.Keep = 6
	require.Equal(t, want, c)
}
