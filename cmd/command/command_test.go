package command

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
)

// nothing is a state.
type nothing struct{}

const aKey = "HOLDFAST_STARTER_SESSION_KEY=not very secret, but of thirty-two bytes"

// run runs a command until it ends by itself.
func run(t *testing.T, environ []string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	p := &Program{Name: "test", Apps: []*holdfast.App{holdfast.NewApp("test", nothing{})}, Environ: append(freePorts(), environ...), Stdout: &out, Stderr: io.Discard}
	err := p.Run(t.Context(), args)
	return out.String(), err
}

// freePorts keeps a test from the ports of a program that runs on the same machine.
func freePorts() []string {
	return []string{
		"HOLDFAST_STARTER_ADDRESS=127.0.0.1:0", "HOLDFAST_STARTER_OPERATOR_ADDRESS=127.0.0.1:0",
		"HOLDFAST_WORKER_OPERATOR_ADDRESS=127.0.0.1:0", "HOLDFAST_CODEC_ADDRESS=127.0.0.1:0",
	}
}

func TestWhatCannotWorkIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for says, c := range map[string]struct{ args, environ []string }{
		`unknown command "dance"`:                               {args: []string{"dance"}},
		`unknown command "now"`:                                 {args: []string{"worker", "now"}},
		"unknown flag: --colour":                                {args: []string{"worker", "--colour"}},
		"did you mean --section-deadline?":                      {args: []string{"worker", "--section-deathline=1s"}},
		"section.deadline":                                      {args: []string{"worker", "--section-deadline=soon"}},
		"starter.session_key is not set":                        {args: []string{"starter"}},
		"state.url is memory:, which ends with":                 {args: []string{"worker", "--state-url=memory:"}},
		"sqlite: make the directory of /dev/null/x/y":           {args: []string{"starter", "--state-url=sqlite:/dev/null/x/y"}, environ: []string{aKey}},
		`state.url: "mysql://…" (the rest is not shown) is not`: {args: []string{"worker"}, environ: []string{"HOLDFAST_STATE_URL=mysql://me:pw@db/x"}},
	} {
		_, err := run(t, c.environ, c.args...)
		require.ErrorContains(t, err, says)
	}
}

func TestAMistakeInAnAppIsToldAtOnce(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("test", nothing{})
	app.Events(func(int) {})
	p := &Program{Name: "test", Apps: []*holdfast.App{app}, Stdout: io.Discard, Stderr: io.Discard}
	require.ErrorContains(t, p.Run(t.Context(), []string{"version"}), "app test: event")
}

func TestVersionSaysWhatItIs(t *testing.T) {
	t.Parallel()
	out, err := run(t, nil, "version")
	require.NoError(t, err)
	require.Regexp(t, `^test .+, go1\.`, out)
}

// TestItWaitsForAStoreAndSaysForWhat stops it while it does.
func TestItWaitsForAStoreAndSaysForWhat(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	p := &Program{Name: "test", Environ: append(freePorts(), "HOLDFAST_STATE_URL=redis://me:hunter2@127.0.0.1:1"), Stdout: io.Discard}
	said := make(chan string, 100)
	p.Stderr = lines(said)
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, []string{"worker"}) }()
	for line := range said {
		require.NotContains(t, line, "hunter2")
		if strings.Contains(line, "waiting for the state at redis://127.0.0.1:1") {
			break
		}
	}
	stop()
	err := <-ended
	require.ErrorContains(t, err, "stopped while waiting for the state")
	require.NotContains(t, err.Error(), "hunter2")
}

// lines is a writer that hands on each write.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}

func TestOpenDriverNamesTheScheme(t *testing.T) {
	t.Parallel()
	_, err := OpenDriver(t.Context(), "mysql://db", slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, `the scheme is "mysql"; expected sqlite, postgres, redis, rediss or memory`)
	driver, err := OpenDriver(t.Context(), "memory:", nil)
	require.NoError(t, err)
	require.NoError(t, driver.Close())
}

func TestAnAddressIsShownWithoutWhatOpensIt(t *testing.T) {
	t.Parallel()
	for address, shown := range map[string]string{
		"postgres://me:hunter2@db:5432/holdfast?sslpassword=hunter2": "postgres://db:5432/holdfast",
		"postgres://me@a:5432,b:5432/holdfast?password=hunter2":      "postgres://a:5432,b:5432/holdfast",
		"rediss://:hunter2@cache/2":                                  "rediss://cache/2",
		"sqlite:.holdfast/state.db":                                  "sqlite:.holdfast/state.db",
	} {
		require.Equal(t, shown, redacted(address))
	}
}

func TestAHealthCheckOfNothingFails(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"health"}, {"health", "strater"}} {
		_, err := run(t, nil, args...)
		require.ErrorContains(t, err, "expected health starter, health worker or health codec")
	}
}
