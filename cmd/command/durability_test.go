package command_test

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/memory"
	"github.com/holdfast-run/holdfast/state/postgres"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/sqlite"
)

// TestDurability_IsWhatTheDocumentsSay: there is one table, and the drivers have it.
func TestDurability_IsWhatTheDocumentsSay(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	table := state.DurabilityTable(slices.Concat(
		postgres.Durabilities(), redis.Durabilities(), sqlite.Durabilities(), memory.Durabilities())...)
	require.Contains(t, string(text), table, "docs/operations.md must have this table:\n%s", table)
}
