package allinone_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/config"
	"github.com/holdfast-run/holdfast/dev/allinone"
	"github.com/holdfast-run/holdfast/dev/embedded"
)

// State is what the app of these tests holds.
type State struct {
	Counter int `json:"counter"`
}

// Increment is the app's one event.
func Increment(_ *holdfast.Tx, s *State) error { s.Counter++; return nil }

func app() *holdfast.App {
	app := holdfast.NewApp("test", State{})
	app.Events(Increment)
	return app
}

// settings are for a program on free ports in the directory; without one it keeps all in memory.
func settings(dir string) config.Config {
	c := config.Default()
	c.Dev.Directory, c.Dev.Ephemeral = dir, dir == ""
	c.Dev.TemporalPort, c.Dev.UIPort, c.Starter.Address = 0, 0, "127.0.0.1:0"
	c.Starter.OperatorAddress = "127.0.0.1:0"
	return c
}

func start(t *testing.T, c config.Config) (*allinone.Program, error) {
	t.Helper()
	p, err := allinone.Start(t.Context(), allinone.Options{
		Apps: []*holdfast.App{app()}, Config: c, Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		t.Cleanup(func() { require.NoError(t, p.Stop()) })
	}
	return p, err
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, string(body))
	return string(body)
}

// message is what these tests read of the starter's messages.
type message struct {
	Type      string                `json:"type"`
	Token     string                `json:"token"`
	Workflows string                `json:"workflows"`
	States    struct{ State State } `json:"states"`
}

// hello connects and returns the connection with the welcome and the snapshot.
func hello(t *testing.T, p *allinone.Program, token string) (c *websocket.Conn, welcome, snapshot message) {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), p.URL()+"test/socket", &websocket.DialOptions{Subprotocols: []string{"holdfast.v1"}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.CloseNow() })
	say := map[string]any{"type": "hello", "client": "testclient"}
	if token == "" {
		say["new"] = true
	} else {
		say["token"] = token
	}
	require.NoError(t, wsjson.Write(t.Context(), c, say))
	require.NoError(t, wsjson.Read(t.Context(), c, &welcome))
	require.NoError(t, wsjson.Read(t.Context(), c, &snapshot))
	return c, welcome, snapshot
}

func TestASessionOutlivesTheProgram(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := start(t, settings(dir))
	require.NoError(t, err)
	c, welcome, _ := hello(t, first, "")
	require.NoError(t, wsjson.Write(t.Context(), c, map[string]any{"type": "event", "id": 1, "name": "Increment"}))
	var ack message
	for ack.Type != "ack" {
		require.NoError(t, wsjson.Read(t.Context(), c, &ack))
	}
	require.NoError(t, first.Stop())
	require.NoError(t, first.Stop(), "again")

	second, err := start(t, settings(dir))
	require.NoError(t, err)
	_, _, snapshot := hello(t, second, welcome.Token)
	require.Equal(t, 1, snapshot.States.State.Counter)
	for _, name := range []string{"state.db", "temporal.db", "session.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

func TestEphemeralLeavesNothingBehind(t *testing.T) {
	t.Chdir(t.TempDir())
	p, err := start(t, settings(""))
	require.NoError(t, err)
	require.Contains(t, get(t, p.URL()), `href="test/"`)
	require.NotEmpty(t, get(t, p.Temporal().UIURL()))
	require.NoError(t, p.Stop())
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestOneDirectoryIsForOneProgram(t *testing.T) {
	dir := t.TempDir()
	_, err := start(t, settings(dir))
	require.NoError(t, err)
	_, err = start(t, settings(dir))
	require.ErrorIs(t, err, embedded.ErrInUse)
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, "--directory")
	require.ErrorContains(t, err, "--ephemeral")
}

func TestAMistakeInAnAppIsToldBeforeAnythingStarts(t *testing.T) {
	wrong := holdfast.NewApp("wrong", State{})
	wrong.Events(func(int) {})
	dir := filepath.Join(t.TempDir(), "data")
	_, err := allinone.Start(t.Context(), allinone.Options{Apps: []*holdfast.App{wrong}, Config: settings(dir)})
	require.ErrorContains(t, err, "app wrong: event:")
	require.NoDirExists(t, dir)
}

func TestATakenPortIsPassedOver(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	c := settings("")
	c.Starter.Address = taken.Addr().String()
	p, err := start(t, c)
	require.NoError(t, err)
	require.NotContains(t, p.URL(), taken.Addr().String())
	require.Contains(t, fmt.Sprint(p.Notes()), "is taken; for the pages it is ")
}

func TestProgram_RefusesATakenPortThatWasGiven(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	_, port, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	for key, set := range map[string]func(*config.Config){
		"starter.address":          func(c *config.Config) { c.Starter.Address = taken.Addr().String() },
		"starter.operator_address": func(c *config.Config) { c.Starter.OperatorAddress = taken.Addr().String() },
		"dev.temporal_port":        func(c *config.Config) { c.Dev.TemporalPort = number },
		"dev.ui_port":              func(c *config.Config) { c.Dev.UIPort = number },
	} {
		c := settings("")
		set(&c)
		_, err := allinone.Start(t.Context(), allinone.Options{
			Apps: []*holdfast.App{holdfast.NewApp("test", State{})}, Config: c, Logger: slog.New(slog.DiscardHandler),
			Given: func(given string) bool { return given == key },
		})
		require.ErrorIs(t, err, syscall.EADDRINUSE, key)
		require.ErrorContains(t, err, key)
	}
}

func TestProgram_AnswersHealthChecks(t *testing.T) {
	p, err := start(t, settings(""))
	require.NoError(t, err)
	base := strings.TrimSuffix(p.MetricsURL(), "/metrics")
	require.Equal(t, "ready", strings.TrimSpace(get(t, base+"/readyz")))
	require.Equal(t, "ok", strings.TrimSpace(get(t, base+"/healthz")))
}

func TestLinksLeadToTheWebUIThatIsConfigured(t *testing.T) {
	c := settings("")
	p, err := start(t, c)
	require.NoError(t, err)
	_, welcome, _ := hello(t, p, "")
	require.Equal(t, p.Temporal().WorkflowsURL(), welcome.Workflows)

	c.Starter.WorkflowsURL = "https://temporal.example.com"
	p, err = start(t, c)
	require.NoError(t, err)
	_, welcome, _ = hello(t, p, "")
	require.Equal(t, "https://temporal.example.com/namespaces/default/workflows/", welcome.Workflows)
}

func TestWithoutAppsTemporalRunsAlone(t *testing.T) {
	p, err := allinone.Start(t.Context(), allinone.Options{Config: settings(""), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	require.Empty(t, p.URL())
	require.Empty(t, p.MetricsURL(), "the operators' addresses are left to workers and starters")
	c, err := client.DialContext(t.Context(), client.Options{HostPort: p.Temporal().Address(), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	defer c.Close()
	answer, err := c.OperatorService().ListSearchAttributes(t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: p.Temporal().Namespace()})
	require.NoError(t, err)
	require.Contains(t, answer.GetCustomAttributes(), "HoldfastSession", "what workers and starters look for is there")
	get(t, p.Temporal().UIURL())
}
