package state_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
)

// Grown is a state whose view is nested deeper than the state itself.
type Grown struct {
	Depth int `json:"depth"`
}

// View nests its arrays as deep as the state says.
func (g Grown) View() map[string]any {
	return map[string]any{"nested": json.RawMessage(strings.Repeat("[", g.Depth+1) + strings.Repeat("]", g.Depth+1))}
}

func TestApply_CommitsNothingThatCannotBeReadBack(t *testing.T) {
	t.Parallel()
	app := holdfast.NewApp("test", Grown{})
	app.States(Raw{Text: json.RawMessage("null")})
	require.NoError(t, app.Check())
	service := state.Open(memory.New(), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	for _, fn := range []any{
		func(_ *holdfast.Tx, s *Raw) error {
			s.Text = json.RawMessage(strings.Repeat("[", 9000) + strings.Repeat("]", 9000))
			return nil
		},
		func(_ *holdfast.Tx, s *Grown) error { s.Depth = state.MaxDepth - 1; return nil },
	} {
		err := service.Do(t.Context(), app, session, fn)
		var section *holdfast.SectionError
		require.ErrorAs(t, err, &section, "it would be so again")
		require.ErrorIs(t, err, holdfast.ErrTooDeep)
	}
	require.NoError(t, service.Do(t.Context(), app, session, func(_ *holdfast.Tx, s *Grown) error { s.Depth = state.MaxDepth - 2; return nil }))
	reader := service.Follow(app, session, &state.Position{})
	defer reader.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := reader.Next(ctx)
	require.NoError(t, err)
}

func TestRequest_RefusesArgumentOverLimit(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	event, err := b.app.Event("ring")
	require.NoError(t, err)
	large := json.RawMessage(`"` + strings.Repeat("<", holdfast.MaxArgument/5) + `"`)
	err = b.Request(t.Context(), b.app, state.Call{Session: session}, holdfast.Request{Event: event, Argument: large})
	require.ErrorIs(t, err, holdfast.ErrBadArgument)
	require.ErrorContains(t, err, "the argument of event ring is too large: 629144 bytes of JSON, and the limit is 524288")
	deep := json.RawMessage(strings.Repeat("[", 65) + strings.Repeat("]", 65))
	err = b.Request(t.Context(), b.app, state.Call{Session: session}, holdfast.Request{Event: event, Argument: deep})
	require.ErrorIs(t, err, holdfast.ErrTooDeep)
	require.Empty(t, b.outbox())
}
