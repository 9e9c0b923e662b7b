package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/holdfast-run/holdfast/config"
)

func TestSecretDoesNotShow(t *testing.T) {
	t.Parallel()
	const value = "correct horse battery staple wins"
	c := config.Default()
	c.Starter.SessionKey = config.NewSecret(value)
	hidden := struct{ inner config.Config }{c} // fmt asks no method of an unexported field

	var log bytes.Buffer
	for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
		logger.Info("start", "key", c.Starter.SessionKey, "config", c, "starter", &c.Starter)
	}
	asJSON, err := json.Marshal(c)
	require.NoError(t, err)
	asYAML, err := yaml.Marshal(c)
	require.NoError(t, err)
	asKey, err := json.Marshal(map[config.Secret]int{c.Starter.SessionKey: 1})
	require.NoError(t, err)

	shown := []string{log.String(), string(asJSON), string(asYAML), string(asKey)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(format, c), fmt.Sprintf(format, &c), fmt.Sprintf(format, c.Starter.SessionKey))
		require.NotContains(t, fmt.Sprintf(format, hidden), value, format)
	}
	for _, s := range shown {
		require.NotContains(t, s, value)
		require.NotContains(t, s, fmt.Sprintf("%x", value))
		require.Contains(t, s, "[secret]")
	}
	require.Equal(t, value, c.Starter.SessionKey.Reveal())
	require.Equal(t, "[secret]", c.Starter.SessionKey.String())
	require.Equal(t, "[secret]", c.Starter.SessionKey.GoString())
}

func TestSecretEmpty(t *testing.T) {
	t.Parallel()
	require.True(t, config.NewSecret("").IsEmpty())
	require.Zero(t, config.NewSecret(""))
	require.Empty(t, config.Secret{}.Reveal())
	require.Equal(t, "[secret]", config.Secret{}.String())
	require.False(t, config.NewSecret("a").IsEmpty())
	require.True(t, config.NewSecret("a").Equal(config.NewSecret("a")))
	require.False(t, config.NewSecret("a").Equal(config.NewSecret("b")))
}

// TestNoErrorShowsASecret has a password in every place where one turns up that was put there by mistake.
func TestNoErrorShowsASecret(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	wrong := map[string][]string{
		"HOLDFAST_STATE_URL": {
			"postgres:u:s3cret@127.0.0.1/db", "postgres:///db?host=127.0.0.1&password=s3cret", "host=127.0.0.1 password=s3cret",
			"postgres://u:12345/s3cret@127.0.0.1/db", "postgres://u:a@b/s3cret@127.0.0.1/db", "postgres://u:s3cret%zz@127.0.0.1/db",
			"redis://:s3cret#x@127.0.0.1", "redis://:a?s3cret@127.0.0.1", "mysql://u:s3cret@127.0.0.1/db", "s3cret:x",
		},
		"HOLDFAST_CODEC_ORIGINS":         {"https://u:s3cret@h", "https://ok,https://u:s3cret@h", "https://h?token=s3cret"},
		"HOLDFAST_STARTER_ORIGINS":       {"https://u:s3cret@h"},
		"HOLDFAST_STARTER_WORKFLOWS_URL": {"https://u:s3cret@h", "https://h/?token=s3cret"},
		"HOLDFAST_TRACING_ENDPOINT":      {"https://h/v1?api_key=s3cret", "https://u:s3cret@h"},
	}
	for name, values := range wrong {
		for _, value := range values {
			_, err := places{environ: []string{name + "=" + value}}.load(t)
			require.Error(t, err, value)
			require.NotContains(t, err.Error(), secret)
		}
	}
	for _, k := range config.Keys() { // whatever is put where a number, a word or a secret belongs
		if k.Type != "secret" {
			continue
		}
		_, err := places{environ: []string{k.Env() + "=s3cret s3cret"}}.load(t)
		require.ErrorContains(t, err, k.Name)
		require.NotContains(t, err.Error(), secret)
	}
	_, err := places{file: "temporal:\n  api_key: *s3cret"}.load(t)
	require.ErrorContains(t, err, "put it in quotes")
	require.NotContains(t, err.Error(), secret)
}
