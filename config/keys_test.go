package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/config"
)

const examplePath = "../holdfast.example.yaml"

func TestKeysAreWellFormed(t *testing.T) {
	t.Parallel()
	taken := map[string]string{"config": "--config", "HOLDFAST_CONFIG": "--config"}
	for _, k := range config.Keys() {
		require.Regexp(t, `^[a-z]+\.[a-z]+(_[a-z]+)*$`, k.Name)
		require.NotEmpty(t, k.Doc, k.Name)
		require.NotEmpty(t, k.Expected, k.Name)
		require.NotRegexp(t, "[.`]$|`", k.Doc, "%s: pflag takes backquotes for the name of the value", k.Name)
		require.False(t, strings.HasPrefix(k.Env(), "HOLDFAST_TEST_"), "%s: left to the tests", k.Name)
		for _, form := range []string{k.Name, k.Env(), k.Flag()} {
			if form != "" {
				require.Empty(t, taken[form], "%s is taken, by", form)
				taken[form] = k.Name
			}
		}
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	forms := map[string][2]string{}
	for _, k := range config.Keys() {
		forms[k.Name] = [2]string{k.Env(), k.Flag()}
	}
	require.Equal(t, [2]string{"HOLDFAST_TEMPORAL_TASK_QUEUE", "temporal-task-queue"}, forms["temporal.task_queue"])
	require.Equal(t, [2]string{"HOLDFAST_DEV_EPHEMERAL", "ephemeral"}, forms["dev.ephemeral"])
	require.Equal(t, [2]string{"HOLDFAST_STARTER_SESSION_KEY", ""}, forms["starter.session_key"], "a command line can be read by all")
}

func TestFlagsOfSomeSections(t *testing.T) {
	t.Parallel()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.String("directory", "", "of the program's own, though a key has this flag too")
	config.Flags(flags, "log", "worker")
	require.NotNil(t, flags.Lookup("config"))
	require.NotNil(t, flags.Lookup("worker-stop-timeout"))
	require.Nil(t, flags.Lookup("starter-address"))

	require.NoError(t, flags.Parse([]string{"--directory=x y", "--log-format=json"}))
	c, err := config.Load(config.Source{Flags: flags, Dir: t.TempDir()})
	require.NoError(t, err)
	require.Equal(t, "json", c.Log.Format)
	require.Equal(t, ".holdfast", c.Dev.Directory)

	require.PanicsWithValue(t, `config.Flags: there is no section "logs"`, func() { config.Flags(flags, "logs") })
}

func TestFlagUsage(t *testing.T) {
	t.Parallel()
	usage := parsed(t).FlagUsages()
	require.Regexp(t, `--starter-address string +where the starter listens \(env HOLDFAST_STARTER_ADDRESS\) \(default "127\.0\.0\.1:8080"\)`, usage)
	require.Regexp(t, `--ephemeral +keep everything`, usage)
	require.Regexp(t, `--config file +the file to read`, usage)
	require.NotContains(t, usage, "session-key")
}

// TestExampleFile holds holdfast.example.yaml to the table. To write it anew after a change of the table:
//
//	HOLDFAST_TEST_UPDATE=1 go test ./config -run TestExampleFile
func TestExampleFile(t *testing.T) {
	t.Parallel()
	if os.Getenv("HOLDFAST_TEST_UPDATE") != "" {
		require.NoError(t, os.WriteFile(examplePath, []byte(config.ExampleFile()), 0o600))
	}
	content, err := os.ReadFile(examplePath)
	require.NoError(t, err)
	require.Equal(t, config.ExampleFile(), string(content), "write it anew: HOLDFAST_TEST_UPDATE=1 go test ./config -run TestExampleFile")
	for _, k := range config.Keys() {
		_, name, _ := strings.Cut(k.Name, ".")
		require.Contains(t, string(content), "\n  "+name+": ", k.Name)
	}
	c, err := config.Load(config.Source{Environ: []string{"HOLDFAST_CONFIG=" + examplePath}})
	require.NoError(t, err)
	require.Equal(t, config.Default(), c)
}
