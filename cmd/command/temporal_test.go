package command

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/config"
)

const tomlFile = `
[profile.default]
address = "toml.example:7233"
namespace = "of-toml"

[profile.cloud]
address = "cloud.example:7233"
namespace = "of-cloud"
api_key = "key of toml"
`

// connect returns the connection that the environment, the file above and the flags give.
func connect(t *testing.T, environ []string, args ...string) (client.Options, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(file, []byte(tomlFile), 0o600))
	p := &Program{Environ: append([]string{"TEMPORAL_CONFIG_FILE=" + file}, environ...)}
	var options client.Options
	c := p.command("test", "", "", func(_ context.Context, c config.Config) (err error) {
		options, err = p.connection(c.Temporal)
		return err
	})
	c.SetArgs(append([]string{}, args...))
	c.SilenceErrors, c.SilenceUsage = true, true
	return options, c.ExecuteContext(t.Context())
}

func TestTemporalsOwnConfigurationIsReadAndOursIsOnTop(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ, args      []string
		address, namespace string
		tls, key           bool
	}{
		"nothing":         {environ: []string{"TEMPORAL_CONFIG_FILE=/dev/null"}, address: "127.0.0.1:7233", namespace: "default"},
		"the file":        {address: "toml.example:7233", namespace: "of-toml"},
		"a profile":       {environ: []string{"TEMPORAL_PROFILE=cloud"}, address: "cloud.example:7233", namespace: "of-cloud", tls: true, key: true},
		"our profile":     {args: []string{"--temporal-profile=cloud"}, address: "cloud.example:7233", namespace: "of-cloud", tls: true, key: true},
		"their variables": {environ: []string{"TEMPORAL_ADDRESS=env.example:1", "TEMPORAL_NAMESPACE=n"}, address: "env.example:1", namespace: "n"},
		"our variables": {
			environ: []string{"TEMPORAL_ADDRESS=env.example:1", "HOLDFAST_TEMPORAL_ADDRESS=ours.example:2"},
			address: "ours.example:2", namespace: "of-toml",
		},
		"our flags": {
			environ: []string{"HOLDFAST_TEMPORAL_NAMESPACE=n"}, args: []string{"--temporal-namespace=flag"},
			address: "toml.example:7233", namespace: "flag",
		},
		"our API key": {
			environ: []string{"HOLDFAST_TEMPORAL_API_KEY=hunter2"},
			address: "toml.example:7233", namespace: "of-toml", tls: true, key: true,
		},
		"TLS on":  {args: []string{"--temporal-tls=on"}, address: "toml.example:7233", namespace: "of-toml", tls: true},
		"TLS off": {args: []string{"--temporal-tls=off", "--temporal-profile=cloud"}, address: "cloud.example:7233", namespace: "of-cloud", key: true},
		"a name":  {args: []string{"--temporal-tls-server-name=x"}, address: "toml.example:7233", namespace: "of-toml", tls: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := connect(t, c.environ, c.args...)
			require.NoError(t, err)
			require.Equal(t, c.address, o.HostPort)
			require.Equal(t, c.namespace, o.Namespace)
			require.Equal(t, c.tls, o.ConnectionOptions.TLS != nil)
			require.Equal(t, c.key, o.Credentials != nil)
		})
	}
}

func TestAConnectionThatCannotBeIsToldByItsKey(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text.pem")
	require.NoError(t, os.WriteFile(text, []byte("hunter2"), 0o600))
	slip := filepath.Join(t.TempDir(), "slip.toml")
	require.NoError(t, os.WriteFile(slip, []byte("[profile.default]\nfrontend = \"temporal:7233\"\n"), 0o600))
	for says, c := range map[string]struct{ environ, args []string }{
		"temporal.config_file: stat /nowhere/t.toml: no such file":              {args: []string{"--temporal-config-file=/nowhere/t.toml"}},
		"temporal.tls_ca_file: open /nowhere/ca.pem: no such file":              {args: []string{"--temporal-tls-ca-file=/nowhere/ca.pem"}},
		"temporal.tls_key_file: open /nowhere/key.pem: no such file":            {args: []string{"--temporal-tls-cert-file=" + text, "--temporal-tls-key-file=/nowhere/key.pem"}},
		"text.pem has no certificate in PEM form":                               {args: []string{"--temporal-tls-ca-file=" + text}},
		"temporal.tls_cert_file and temporal.tls_key_file: tls: failed to find": {args: []string{"--temporal-tls-cert-file=" + text, "--temporal-tls-key-file=" + text}},
		"read Temporal's own configuration (TEMPORAL_ variables and":            {args: []string{"--temporal-profile=missing"}},
		"read Temporal's own configuration (TEMPORAL_ variables and tempo":      {environ: []string{"TEMPORAL_CONFIG_FILE=" + text}},
		"from TEMPORAL_ADDRESS or temporal.toml, is not host:port":              {environ: []string{"TEMPORAL_ADDRESS=temporal"}},
		"temporal.toml, is not host:port":                                       {environ: []string{"TEMPORAL_ADDRESS=me:hunter2@temporal:7233"}},
		"TEMPORAL_CONFIG_FILE: stat /nowhere/t.toml: no such file":              {environ: []string{"TEMPORAL_CONFIG_FILE=/nowhere/t.toml"}},
		"frontend": {environ: []string{"TEMPORAL_CONFIG_FILE=" + slip}},
	} {
		_, err := connect(t, c.environ, c.args...)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestTheThresholdOfNapsFitsTheTimers(t *testing.T) {
	t.Parallel()
	for late, fit := range map[string]string{"-1ms": "100ms", "17ms": "100ms", "51ms": "200ms", "860ms": "1.8s", "1s": "2s"} {
		require.Equal(t, fit, napToFit(parse(t, late)).String(), late)
	}
}

func parse(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return d
}
