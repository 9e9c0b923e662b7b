package state_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

func TestService_RefusesSessionOfAnotherApp(t *testing.T) {
	t.Parallel()
	b := newPolicies(t)
	start, err := b.app.StartRequest(single, 1)
	require.NoError(t, err)
	trigger, err := b.app.TriggerRequest(ring, 1)
	require.NoError(t, err)
	look := func(*holdfast.Tx, *State) error { return nil }
	for _, foreign := range []holdfast.SessionID{"", "test", "test-", "-abc", "other-abc", "TEST-abc"} {
		for name, try := range map[string]func() error{
			"Request task":  func() error { return b.Request(t.Context(), b.app, state.Call{Session: foreign}, start) },
			"Request event": func() error { return b.Request(t.Context(), b.app, state.Call{Session: foreign}, trigger) },
			"View":          func() error { return b.View(t.Context(), b.app, foreign, look) },
			"Do":            func() error { return b.Do(t.Context(), b.app, foreign, look) },
			"Snapshot":      func() error { _, err := b.Snapshot(t.Context(), b.app, foreign); return err },
			"Document":      func() error { _, err := b.Document(t.Context(), b.app, foreign, "State"); return err },
			"Follow": func() error {
				reader := b.Follow(b.app, foreign, nil)
				defer reader.Close()
				_, err := reader.Next(t.Context())
				return err
			},
		} {
			err := try()
			require.ErrorIs(t, err, holdfast.ErrBadArgument, "%s %q", name, foreign)
			require.ErrorContains(t, err, "is not one of app test", "%s %q", name, foreign)
		}
	}
	require.Empty(t, b.outbox())
	other := newPolicies(t)
	strange, err := other.app.StartRequest(single, 1)
	require.NoError(t, err)
	for _, request := range []holdfast.Request{{}, strange} {
		require.ErrorIs(t, b.Request(t.Context(), b.app, state.Call{Session: session}, request), holdfast.ErrBadArgument)
	}
}

func TestDocument_OfUnknownStateIsError(t *testing.T) {
	t.Parallel()
	b := newBench(t, state.Options{})
	_, err := b.Document(t.Context(), b.app, session, "Newer")
	require.ErrorIs(t, err, holdfast.ErrUnknown)
	doc, err := b.Document(t.Context(), b.app, session, "Other")
	require.NoError(t, err)
	require.JSONEq(t, `{"text":""}`, string(doc))
}
