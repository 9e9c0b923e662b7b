// Package golden records the histories under workflows/testdata with a real server, and checks that today's program still
// behaves as they say.
package golden

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/dev/embedded"
	"github.com/holdfast-run/holdfast/internal/golden"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/worker"
)

const testdata = "../../workflows/testdata"

// TestTheGoldenTasksEndAsRecorded runs each golden task on a real server and compares how it ends with its kept history. With
// HOLDFAST_TEST_UPDATE set it writes the histories that are missing.
func TestTheGoldenTasksEndAsRecorded(t *testing.T) {
	server, err := embedded.Start(t.Context(), embedded.Options{DynamicConfig: map[string]any{
		"limit.historyCount.suggestContinueAsNew": 80, // so that a task need not be long
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	quiet := slog.New(slog.DiscardHandler)
	c, err := client.Dial(client.Options{HostPort: server.Address(), Namespace: server.Namespace(), Identity: "golden", Logger: sdklog.NewStructuredLogger(quiet)})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	service := state.Open(memory.New(), state.Options{Logger: quiet})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	w, err := worker.New(c, service, worker.Options{Apps: []*holdfast.App{golden.App()}})
	require.NoError(t, err)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)

	for name, task := range golden.Tasks() {
		t.Run(name, func(t *testing.T) {
			for suffix, recorded := range record(t, c, name, task) {
				path := filepath.Join(testdata, name+suffix+".json")
				_, err := os.Stat(path)
				if os.Getenv("HOLDFAST_TEST_UPDATE") != "" && os.IsNotExist(err) {
					write(t, path, recorded)
				}
				require.Equal(t, last(read(t, path)), last(recorded))
			}
		})
	}
}

// record runs a task and returns the histories of its last run and, if it had several, of its first, by the file's suffix.
func record(t *testing.T, c client.Client, name string, task any) map[string]*history.History {
	t.Helper()
	app := golden.App()
	registered, err := app.Task(task)
	require.NoError(t, err)
	id := "golden-" + name + ".Task-1"
	in := input(name)
	in.Session = "golden-" + name
	options := client.StartWorkflowOptions{ID: id, TaskQueue: "holdfast", WorkflowTaskTimeout: 2 * time.Second}
	run, err := c.ExecuteWorkflow(t.Context(), options, registered.Type(), in)
	require.NoError(t, err)
	s := &scene{t: t, c: c, id: id, run: run.GetRunID()}
	if play, ok := scenes()[name]; ok {
		play(s)
	}
	_ = run.Get(t.Context(), nil) // it follows the chain; some are meant to fail
	recorded := map[string]*history.History{"": fetch(t, c, id, "")}
	if h := fetch(t, c, id, s.run); last(h) != last(recorded[""]) {
		recorded[".first"] = h
	}
	return recorded
}

func fetch(t *testing.T, c client.Client, id, run string) *history.History {
	t.Helper()
	h := &history.History{}
	events := c.GetWorkflowHistory(t.Context(), id, run, false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		require.NoError(t, err)
		h.Events = append(h.Events, event)
	}
	return h
}

func write(t *testing.T, path string, h *history.History) {
	t.Helper()
	text, err := protojson.MarshalOptions{Indent: "  "}.Marshal(h)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o644))
}

func read(t *testing.T, path string) *history.History {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NotErrorIs(t, err, fs.ErrNotExist, "record it with: make golden")
	require.NoError(t, err)
	h := &history.History{}
	require.NoError(t, protojson.Unmarshal(text, h))
	return h
}

// last is how a history ends.
func last(h *history.History) string {
	return h.GetEvents()[len(h.GetEvents())-1].GetEventType().String()
}
