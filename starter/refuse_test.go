package starter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/starter"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// secret is what an error says that no page may read.
const secret = "dial tcp 10.0.0.1: password authentication failed for user x"

// Dialed is a state that cannot be written to JSON for as long as it is broken.
type Dialed struct{ Broken bool }

// MarshalJSON fails when it is broken.
func (d Dialed) MarshalJSON() ([]byte, error) {
	if d.Broken {
		return nil, errors.New(secret)
	}
	return []byte("{}"), nil
}

func Dial(*holdfast.Tx, *State) error      { return fmt.Errorf("read the seats: %w", errors.New(secret)) }
func DialAgain(*holdfast.Tx, *State) error { return errors.New(secret) }
func DialPanic(*holdfast.Tx, *State) error { panic(errors.New(secret)) }
func DialBreak(_ *holdfast.Tx, d *Dialed) error {
	d.Broken = true
	return nil
}
func DialTrigger(tx *holdfast.Tx, _ *State) error {
	tx.Trigger(Dial)
	tx.Trigger(DialPanic)
	tx.Trigger(DialBreak)
	tx.Trigger(Full)
	return nil
}
func Full(*holdfast.Tx, *State) error {
	return fmt.Errorf("book: %s: %w", secret, holdfast.Reject("no more seats"))
}

// failures are what an app's OnError got.
type failures struct {
	mu  sync.Mutex // protects all
	all []holdfast.Failure
}

func (f *failures) add(_ context.Context, failure holdfast.Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, failure)
}

// told is the failure under the id that the sentence names.
func (f *failures) told(t *testing.T, sentence string) holdfast.Failure {
	t.Helper()
	id := regexp.MustCompile(`^\w+ failed \(([a-z2-7]{8})\)$`).FindStringSubmatch(sentence)
	require.NotNil(t, id, sentence)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, failure := range f.all {
		if failure.ID == id[1] {
			return failure
		}
	}
	t.Fatal("the app was not told of " + id[1])
	return holdfast.Failure{}
}

func newDialed(t *testing.T, log *records, told *failures) (*bench, page, holdfast.SessionID) {
	t.Helper()
	app := holdfast.NewApp("test", State{})
	app.States(Dialed{})
	app.Events(Increment, Dial, DialPanic, DialBreak, DialTrigger, Full)
	app.OnLoad(DialAgain)
	app.OnError(told.add)
	service := state.Open(memory.New(), state.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	b := benchOn(t, app, service, newTemporal(), func(o *starter.Options) { o.Logger = slog.New(slog.NewJSONHandler(log, nil)) })
	b.Start()
	p, welcome := b.open(map[string]any{"new": true})
	return b, p, holdfast.SessionID(welcome.Session)
}

// read reads frames until one fits, and looks at each for the secret.
func (p page) read(fits func(message) bool) message {
	p.t.Helper()
	for {
		_, frame, err := p.Read(p.t.Context())
		require.NoError(p.t, err)
		for _, part := range strings.Split(secret, ": ") {
			require.NotContains(p.t, string(frame), part)
		}
		var m message
		require.NoError(p.t, json.Unmarshal(frame, &m))
		if fits(m) {
			return m
		}
	}
}

func TestRefuse_TellsThePageAnIDOnly(t *testing.T) {
	t.Parallel()
	log, told := &records{}, &failures{}
	_, p, _ := newDialed(t, log, told)
	for i, name := range []string{"Dial", "DialPanic", "DialBreak"} {
		p.event(int64(i+1), name, nil)
		ack := p.read(func(m message) bool { return m.Type == "ack" })
		require.Equal(t, "failed", ack.Error.Code, name)
		failure := told.told(t, ack.Error.Message)
		require.Equal(t, name, failure.Name)
		require.Contains(t, failure.Message, secret)
		require.Contains(t, log.String(), `"id":"`+failure.ID+`"`)
	}
	require.Len(t, log.all(t, "an event failed"), 4, "with that of the load")
	require.Contains(t, log.String(), secret)
	p.event(4, "Full", nil)
	ack := p.read(func(m message) bool { return m.Type == "ack" })
	require.Equal(t, []string{"rejected", "no more seats"}, []string{ack.Error.Code, ack.Error.Message})
	require.Len(t, told.all, 4, "a rejection is an answer")
}

func TestRefuse_TellsThePageAnIDOnlyOfATrigger(t *testing.T) {
	t.Parallel()
	log, told := &records{}, &failures{}
	_, p, _ := newDialed(t, log, told)
	p.event(1, "DialTrigger", nil)
	for _, name := range []string{"Dial", "DialPanic", "DialBreak", "Full"} {
		delta := p.read(func(m message) bool { return len(m.Messages) > 0 })
		require.Equal(t, state.MessageTaskFailed, delta.Messages[0].Name)
		var failed state.TaskFailed
		require.NoError(t, json.Unmarshal(delta.Messages[0].Data, &failed))
		require.Equal(t, name, failed.Name)
		if name == "Full" {
			require.Equal(t, "no more seats", failed.Error)
			return
		}
		require.Contains(t, told.told(t, failed.Error).Message, secret)
	}
}

// TestRefuse_QuotesAPageOnly: what a section gave to a triggered event is not what the
// page sent.
func TestRefuse_QuotesAPageOnly(t *testing.T) {
	t.Parallel()
	log, told := &records{}, &failures{}
	b, p, session := newDialed(t, log, told)
	p.event(1, "Increment", "of-the-page")
	ack := p.read(func(m message) bool { return m.Type == "ack" })
	require.Equal(t, "bad_argument", ack.Error.Code)
	require.Contains(t, ack.Error.Message, "of-the-page")
	event, err := b.app.Event("Increment")
	require.NoError(t, err)
	request := holdfast.Request{Event: event, Argument: json.RawMessage(`"` + secret + `"`)} // as an older program wrote it
	require.NoError(t, b.state.Request(t.Context(), b.app, state.Call{Session: session}, request))
	delta := p.read(func(m message) bool { return len(m.Messages) > 0 })
	var failed state.TaskFailed
	require.NoError(t, json.Unmarshal(delta.Messages[0].Data, &failed))
	require.Equal(t, "BadArgument", told.told(t, failed.Error).Kind)
}
