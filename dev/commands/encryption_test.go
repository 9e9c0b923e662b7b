package commands_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/dev/embedded"
	"github.com/holdfast-run/holdfast/workflows"
)

// What the app of these tests gives to Temporal; none of it may be found there.
const (
	theArgument = "argument-of-a-task"
	theInput    = "input-of-a-section"
	theResult   = "result-of-a-section"
	theValue    = "value-of-the-state"
	theFailure  = "failure-of-a-section"
)

// Private is a state.
type Private struct {
	Value string `json:"value"`
}

func private() *holdfast.App {
	app := holdfast.NewApp("private", Private{})
	app.Events(Keep, KeepInline)
	app.Sections(keep, refuse)
	app.Tasks(Keeper, holdfast.With(InlineKeeper, holdfast.TaskOptions{Inline: true}))
	return app
}

// Keep starts a Keeper.
func Keep(tx *holdfast.Tx, _ *Private) error { tx.Start(Keeper, theArgument); return nil }

// KeepInline starts one that works inline.
func KeepInline(tx *holdfast.Tx, _ *Private) error { tx.Start(InlineKeeper, theArgument); return nil }

// Keeper hands values through all that a task has.
func Keeper(ctx workflow.Context, argument string) error {
	result, err := workflows.LockedWith(ctx, keep, theInput)
	if err != nil {
		return err
	}
	state, err := workflows.Read[Private](ctx)
	if err != nil {
		return err
	}
	if argument != theArgument || result != theResult || state.Value != theValue {
		return errors.New("a value has changed")
	}
	return workflows.Do(ctx, refuse)
}

// InlineKeeper is Keeper.
func InlineKeeper(ctx workflow.Context, argument string) error { return Keeper(ctx, argument) }

func keep(_ *holdfast.Tx, s *Private, _ string) (string, error) {
	s.Value = theValue
	return theResult, nil
}
func refuse(*holdfast.Tx, *Private) error { return holdfast.Reject(theFailure) }

const theCodecToken = "a-token-of-more-than-thirty-two-characters"

func keyOf(id string, fill byte) string {
	return id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
}

// TestTemporalHoldsNothingInClear looks at every byte that the server has written; without encryption all of it is there.
func TestTemporalHoldsNothingInClear(t *testing.T) {
	for name, environ := range map[string][]string{"in clear": nil, "encrypted": {"HOLDFAST_TEMPORAL_ENCRYPTION_KEYS=" + keyOf("first", 1)}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			server := startTemporal(t, embedded.Options{Database: filepath.Join(dir, "temporal.db"), SearchAttributes: embedded.TaskAttributes()})
			s := newSetting(t, server.Address(), environ...)
			s.start("worker")
			url := urlOf(t, s.start("starter"))
			for _, event := range []string{"Keep", "KeepInline"} {
				page := openApp(t, http.DefaultClient, url, "private")
				page.send(event, nil)
				page.untilFailed(theFailure)
			}
			found(t, server.Address(), `ExecutionStatus="Failed"`)
			server.Stop()
			dump := readAll(t, dir)
			for _, secret := range []string{theArgument, theInput, theResult, theValue, theFailure} {
				require.Equal(t, environ == nil, bytes.Contains(dump, []byte(secret)), secret)
			}
		})
	}
}

func readAll(t *testing.T, dir string) (all []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		all = append(all, content...)
	}
	require.Contains(t, string(all), "private.Keeper", "the type of the workflow is in clear")
	return all
}

func TestTheCodecServerDecryptsForWhoMay(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	s := newSetting(t, server.Address(), "HOLDFAST_TEMPORAL_ENCRYPTION_KEYS="+keyOf("first", 1), "HOLDFAST_CODEC_TOKEN="+theCodecToken,
		"HOLDFAST_CODEC_ADDRESS=127.0.0.1:0")
	s.start("worker")
	page := openApp(t, http.DefaultClient, urlOf(t, s.start("starter")), "private")
	page.send("Keep", nil)
	page.untilFailed(theFailure)
	endpoint := strings.TrimSuffix(urlOf(t, s.start("codec")), "/")

	plain := dial(t, server.Address())
	found(t, server.Address(), `WorkflowType="private.Keeper"`)
	workflowID := page.tasks[0].ID
	history := plain.GetWorkflowHistory(t.Context(), workflowID, "", false, 0)
	first, err := history.Next()
	require.NoError(t, err)
	input := first.GetWorkflowExecutionStartedEventAttributes().GetInput()
	require.NotContains(t, input.String(), theArgument)
	for token, allowed := range map[string]bool{theCodecToken: true, theCodecToken + "!": false, "": false} {
		remote := converter.NewRemoteDataConverter(converter.GetDefaultDataConverter(), converter.RemoteDataConverterOptions{
			Endpoint: endpoint, ModifyRequest: func(r *http.Request) error { r.Header.Set("Authorization", "Bearer "+token); return nil },
		})
		var in struct{ Argument string }
		err := remote.FromPayloads(input, &in)
		require.Equal(t, allowed, err == nil, "%v", err)
		require.Equal(t, allowed, in.Argument == theArgument)
	}
}

// TestAWorkerWithoutTheKeyLeavesTheTaskToOneThatHasIt: the task neither fails nor gets lost.
func TestAWorkerWithoutTheKeyLeavesTheTaskToOneThatHasIt(t *testing.T) {
	server := startTemporal(t, embedded.Options{SearchAttributes: embedded.TaskAttributes()})
	s := newSetting(t, server.Address())
	key := "HOLDFAST_TEMPORAL_ENCRYPTION_KEYS=" + keyOf("new", 2)
	wrong := newSetting(t, server.Address(), s.environ[2], "HOLDFAST_TEMPORAL_ENCRYPTION_KEYS="+keyOf("old", 1))
	right := newSetting(t, server.Address(), s.environ[2], key)
	logged := make(lines, 1000)
	wrong.begin(logged, "worker")
	page := openApp(t, http.DefaultClient, urlOf(t, right.start("starter")), "fast")
	page.send("CountTo", 2)
	for line := range logged {
		if strings.Contains(line, `key id \"new\"`) || strings.Contains(line, `key id \\\"new\\\"`) {
			break
		}
	}
	right.start("worker")
	page.untilIdle(2)
}

func TestWhatTheCodecServerLacksIsTold(t *testing.T) {
	s := newSetting(t, "127.0.0.1:1")
	_, err := s.run("codec")
	require.ErrorContains(t, err, "temporal.encryption_keys is not set")
	s.environ = append(s.environ, "HOLDFAST_TEMPORAL_ENCRYPTION_KEYS="+keyOf("first", 1))
	_, err = s.run("codec")
	require.ErrorContains(t, err, "codec.token is not set")
	s.environ = append(s.environ, "HOLDFAST_TEMPORAL_ENCRYPTION_KEYS="+keyOf("first", 1)+","+keyOf("first", 2))
	_, err = s.run("worker")
	require.ErrorContains(t, err, "temporal.encryption_keys: ")
	require.NotContains(t, err.Error(), keyOf("", 2))
}
