package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
)

// expireAll removes whatever is not needed.
func expireAll(t *testing.T, d state.Driver) (int, error) {
	t.Helper()
	return d.Expire(t.Context(), state.Expiry{Idle: -time.Hour, Ledger: -time.Hour})
}

// ask reads one number.
func ask(t *testing.T, conn *pgx.Conn, query string) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&n))
	return n
}

func connected(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// testExpiryIsOneProcesssAtATime: while another one removes something, this one does nothing, and does not wait.
func testExpiryIsOneProcesssAtATime(t *testing.T, address string) {
	d, conn := open(t, address), connected(t, address)
	put(t, d, 1)
	_, err := conn.Exec(t.Context(), "BEGIN; SELECT pg_advisory_xact_lock(x'53776570'::int, hashtext('holdfast'))")
	require.NoError(t, err)
	removed, err := expireAll(t, d)
	require.NoError(t, err)
	require.Zero(t, removed)
	requireValue(t, d, "1")
	_, err = conn.Exec(t.Context(), "COMMIT")
	require.NoError(t, err)
	removed, err = expireAll(t, d)
	require.NoError(t, err)
	require.Equal(t, 1, removed)
}

// testExpiryIsInBatches counts the sessions that each transaction removes, and has the sweep of the ledger fail.
func testExpiryIsInBatches(t *testing.T, address string) {
	d, conn := open(t, address), connected(t, address)
	_, err := conn.Exec(t.Context(), `SET search_path = holdfast;
		INSERT INTO sessions SELECT 'test-' || n, 'e', 1, 0, 0, '', '[]', '{}', '[]', now() FROM generate_series(1, 2500) AS n;
		CREATE TABLE removals (n bigint, transaction bigint);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO holdfast.removals SELECT count(*), txid_current() FROM gone; RETURN NULL;
		END $$;
		CREATE TRIGGER note AFTER DELETE ON sessions REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note();
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not the ledger'; END $$;
		INSERT INTO sessions VALUES ('test-busy', 'e', 1, 0, 0, '', '[{"id":"task"}]', '{task}', '[]', now());
		INSERT INTO marks VALUES ('test-busy', 'silent', '{}', now());
		INSERT INTO ledger VALUES ('test-busy', 'key', 'silent', NULL, 1);
		CREATE TRIGGER refuse BEFORE DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION refuse()`)
	require.NoError(t, err)
	removed, err := expireAll(t, d)
	require.EqualError(t, err, "postgres: expire: ERROR: not the ledger (SQLSTATE P0001)")
	require.Equal(t, 2500, removed)
	require.Equal(t, 1, ask(t, conn, "SELECT count(*) FROM sessions"), "what was removed before stays so")
	require.Equal(t, 1000, ask(t, conn, "SELECT max(n) FROM removals"))
	require.Equal(t, 3, ask(t, conn, "SELECT count(DISTINCT transaction) FROM removals"))
}
