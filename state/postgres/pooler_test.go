package postgres_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state/postgres"
	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// TestPgBouncerThatGivesTransactionsIsRefused: over it nothing can be listened to.
func TestPgBouncerThatGivesTransactionsIsRefused(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	for _, mode := range []string{"transaction", "statement"} {
		address := server.Bouncer(t, mode, server.Database(t))
		_, err := postgres.Open(t.Context(), address, postgres.Options{})
		require.ErrorContains(t, err, "is there a pooler in between that gives a connection for one transaction only, such as PgBouncer", mode)
		requireSecret(t, err, address)
	}
}

// TestPgBouncerThatGivesSessionsIsFine runs sections through it, and tells of them.
func TestPgBouncerThatGivesSessionsIsFine(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	service := serve(t, server.Bouncer(t, "session", server.Database(t)))
	app := statetest.Counting{}.App()
	section := func(_ *holdfast.Tx, s *statetest.Count) error { s.N++; return nil }
	require.NoError(t, service.Do(t.Context(), app, "test-one", section))
	reader := service.Follow(app, "test-one", nil)
	defer reader.Close()
	_, err := reader.Next(t.Context())
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, service.Do(t.Context(), app, "test-one", section))
		update, err := reader.Next(t.Context())
		require.NoError(t, err)
		require.NotNil(t, update.Change)
	}
	n, err := statetest.Counting{}.Counted(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, 4, n)
}
