package holdfast_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
)

// Anything is a state, argument and result that can be of any size and depth.
type Anything struct {
	Value json.RawMessage `json:"value"`
}

func withAnything(workflow.Context, Anything) error      { return nil }
func onAnything(*holdfast.Tx, *Anything, Anything) error { return nil }
func nested(depth int) json.RawMessage                   { return repeat("[", depth, "]") }
func repeat(open string, n int, end string) json.RawMessage {
	return json.RawMessage(strings.Repeat(open, n) + strings.Repeat(end, n))
}
func text(c string, n int) json.RawMessage   { return json.RawMessage(`"` + strings.Repeat(c, n) + `"`) }
func wrapped(value json.RawMessage) Anything { return Anything{Value: value} }
func startWith(value json.RawMessage) func(*holdfast.Tx, *Anything) error {
	return func(tx *holdfast.Tx, _ *Anything) error { tx.Start(withAnything, wrapped(value)); return nil }
}

func triggerWith(value json.RawMessage) func(*holdfast.Tx, *Anything) error {
	return func(tx *holdfast.Tx, _ *Anything) error { tx.Trigger(onAnything, wrapped(value)); return nil }
}

func emitWith(value json.RawMessage) func(*holdfast.Tx, *Anything) error {
	return func(tx *holdfast.Tx, _ *Anything) error { tx.Emit("toast", value); return nil }
}

func resultOf(value json.RawMessage) func(*holdfast.Tx, *Anything) (json.RawMessage, error) {
	return func(*holdfast.Tx, *Anything) (json.RawMessage, error) { return value, nil }
}

func stateOf(value json.RawMessage) func(*holdfast.Tx, *Anything) error {
	return func(_ *holdfast.Tx, s *Anything) error { s.Value = value; return nil }
}

func newLimitsApp(t *testing.T) *holdfast.App {
	t.Helper()
	app := holdfast.NewApp("counter", Anything{Value: json.RawMessage("null")})
	app.Events(onAnything)
	app.Tasks(withAnything)
	require.NoError(t, app.Check())
	return app
}

func TestLimits_RefuseWhereValueIsMade(t *testing.T) {
	t.Parallel()
	const escaped = 6 // bytes of one < in the encoded form
	for want, fn := range map[string]any{
		`tx.Start: bad argument: the argument of task withAnything is too large: 524304 bytes of JSON, and the limit is 524288`://
		startWith(text("<", 524_288/escaped+1)),
		"tx.Trigger: bad argument: the argument of event onAnything is too large": triggerWith(text("x", holdfast.MaxArgument)),
		`tx.Emit: the message "toast" is too large`:                               emitWith(text("x", holdfast.MaxMessage)),
		"the result is too large":                                     resultOf(text("&", holdfast.MaxResult/escaped+1)),
		"the state Anything is too large":                             stateOf(text("x", holdfast.MaxState)),
		"argument of task withAnything: JSON is nested too deep":      startWith(nested(64)),
		"argument of event onAnything: JSON is nested too deep":       triggerWith(nested(64)),
		`the message "toast": JSON is nested too deep: more than 64 `: emitWith(nested(65)),
		"the result: JSON is nested too deep":                         resultOf(nested(65)),
		"the state Anything: JSON is nested too deep":                 stateOf(nested(64)),
	} {
		_, err := run(t, newLimitsApp(t), fn, nil, "")
		var section *holdfast.SectionError
		require.ErrorAs(t, err, &section, want)
		require.ErrorContains(t, err, want)
	}
}

func TestLimits_LetPassWhatFits(t *testing.T) {
	t.Parallel()
	const around = len(`{"value":""}`)
	for _, fn := range []any{
		startWith(text("x", holdfast.MaxArgument-around)), triggerWith(text("x", holdfast.MaxArgument-around)),
		emitWith(text("x", holdfast.MaxMessage-2)), resultOf(text("x", holdfast.MaxResult-2)),
		startWith(nested(63)), triggerWith(nested(63)), emitWith(nested(64)), resultOf(nested(64)), stateOf(nested(63)),
	} {
		_, err := run(t, newLimitsApp(t), fn, nil, "")
		require.NoError(t, err)
	}
}

func TestCheckDepth_CountsOutsideOfStrings(t *testing.T) {
	t.Parallel()
	for _, fits := range []json.RawMessage{
		nil, nested(64), repeat(`{"a":[`, 32, "]}"), text("[", 1000), text(`\"[`, 100), text(`\\`, 7),
		json.RawMessage("[" + strings.Repeat("[],{},", 1000) + "[]]"),
	} {
		require.NoError(t, holdfast.CheckDepth(fits))
	}
	for _, deep := range []json.RawMessage{
		nested(65), nested(1_000_000), repeat(`{"a":[`, 33, "]}"), json.RawMessage(`["\\",` + string(nested(64)) + "]"),
		json.RawMessage(strings.Repeat("[", 65)), // also where the rest is missing
	} {
		require.ErrorIs(t, holdfast.CheckDepth(deep), holdfast.ErrTooDeep)
	}
}

// TestEncodedSize_IsWhatEncodingJSONWrites compares it with encoding/json on random texts.
func TestEncodedSize_IsWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	parts := []string{`<`, `>`, `&`, "\u2028", "\u2029", "\u2027", "é", "🦊", `\"`, `\\`, `\u003c`, `\n`, " ", "[", "x", ","}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var s strings.Builder
		for range random.IntN(8) {
			s.WriteString(parts[random.IntN(len(parts))])
		}
		raw := json.RawMessage(fmt.Sprintf("{ \"%s\" :\t[ 1 ,\n true , \"%s\" ] }", s.String(), s.String()))
		encoded, err := json.Marshal(raw)
		require.NoError(t, err)
		require.Equal(t, len(encoded), holdfast.EncodedSize(raw), string(raw))
	}
}
