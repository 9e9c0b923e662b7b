package postgres_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// partition does what an operator does with partition.sql, with fewer partitions.
func partition(t testing.TB, address string) {
	t.Helper()
	script, err := os.ReadFile("partition.sql")
	require.NoError(t, err)
	some := strings.Replace(string(script), "int := 16;", "int := 3;", 1)
	require.NotEqual(t, string(script), some)
	sql(t, address, some)
}

// TestConformanceOfPartitions runs the whole suite on partitioned tables.
func TestConformanceOfPartitions(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	report := statetest.Run(t, func(t testing.TB) statetest.Store { //nolint:thelper // a step of the test
		address := server.Database(t)
		require.NoError(t, open(t, address).Close())
		partition(t, address)
		return statetest.Store{Shared: true, Clock: true, Open: func(t testing.TB) state.Driver { //nolint:thelper // as above
			return open(t, address)
		}}
	})
	require.Empty(t, report.Skipped, "PostgreSQL has all that a case may need")
}

// testPartitioningKeepsWhatIsThere: a session, what goes with it, its place in the outbox and the holds' lightness.
func testPartitioningKeepsWhatIsThere(t *testing.T, address string) {
	d := open(t, address)
	held := hold(t, d)
	c := next(held, 1)
	c.Pending = []state.Pending{{ID: "row", Kind: state.KindStart, Session: "test-one"}}
	c.Entry = &state.Entry{Owner: "task", Key: "1", Seq: 1}
	c.Marks = map[string]json.RawMessage{"task": json.RawMessage("{}")}
	require.NoError(t, held.Commit(t.Context(), c))
	require.NoError(t, d.Close())
	partition(t, address)

	conn := connected(t, address)
	require.Equal(t, 3, ask(t, conn, "SELECT count(*) FROM pg_class WHERE relname LIKE 'holds\\_%' AND relkind = 'r' AND relpersistence = 'u'"))
	require.Equal(t, 3, ask(t, conn, "SELECT count(*) FROM pg_class WHERE relname LIKE 'sessions\\__' AND reloptions = '{fillfactor=70}'"))
	d = open(t, address)
	requireValue(t, d, "1")
	rows, err := d.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	held = hold(t, d)
	c = next(held, 2)
	c.Settled = []string{"row"}
	require.NoError(t, held.Commit(t.Context(), c))
	removed, err := expireAll(t, d)
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	require.Zero(t, ask(t, conn, "SELECT (SELECT count(*) FROM holdfast.documents) + (SELECT count(*) FROM holdfast.ledger) + (SELECT count(*) FROM holdfast.marks)"))
}
