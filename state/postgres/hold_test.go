package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
)

// hold takes the session for longer than a test.
func hold(t *testing.T, d state.Driver) state.Held {
	t.Helper()
	held, err := d.Acquire(t.Context(), state.Claim{Session: "test-one", Lease: time.Hour})
	require.NoError(t, err)
	return held
}

// next is a commit that follows the held record.
func next(held state.Held, value int) *state.Commit {
	r := held.Record()
	documents := holdfast.Documents{"State": json.RawMessage(fmt.Sprint(value))}
	return &state.Commit{
		Epoch: "epoch", Version: r.Version + 1, Revision: r.Revision + 1, Documents: documents,
		KeepChanges: 10, KeepMessages: 10,
		Change: &state.Change{Revision: r.Revision + 1, States: documents},
	}
}

func requireValue(t *testing.T, d state.Driver, want string) {
	t.Helper()
	record, _, err := d.Load(t.Context(), "test-one")
	require.NoError(t, err)
	require.Equal(t, want, string(record.Documents["State"]))
}

// disconnect breaks all connections of drivers to a database.
const disconnect = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity " +
	"WHERE application_name = 'holdfast' AND datname = current_database()"

func testAHoldOutlivesItsConnection(t *testing.T, address string) {
	d := open(t, address)
	held := hold(t, d)
	sql(t, address, disconnect)
	require.NoError(t, held.Renew(t.Context(), time.Hour))
	require.NoError(t, held.Commit(t.Context(), next(held, 1)))
	sql(t, address, disconnect)
	requireValue(t, d, "1")
	sql(t, address, disconnect)
	put(t, d, 2)
	requireValue(t, d, "2")
}

// TestACrashFencesEveryHolder also shows that what was committed before it is there afterwards.
func TestACrashFencesEveryHolder(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	d := open(t, server.URL())
	put(t, d, 1)
	stale := hold(t, d)
	server.Restart(t)
	require.ErrorIs(t, stale.Renew(t.Context(), time.Hour), holdfast.ErrLockExpired)
	require.ErrorIs(t, stale.Commit(t.Context(), next(stale, 666)), holdfast.ErrLockExpired)
	requireValue(t, d, "1")
	put(t, d, 2)
	requireValue(t, d, "2")
}

// TestExpireAfterACrash has sessions without a row in the table of holds, which expire all the same.
func TestExpireAfterACrash(t *testing.T) {
	t.Parallel()
	server := postgrestest.Start(t)
	d := open(t, server.URL())
	put(t, d, 1)
	server.Restart(t)
	removed, err := d.Expire(t.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	requireValue(t, d, "")
}

// testWhatWasBrokenOffIsTriedAgain has the server break the first commit off, in ways in which nothing was written.
func testWhatWasBrokenOffIsTriedAgain(t *testing.T, address string) {
	d := open(t, address)
	for i, code := range []string{"40P01", "40001", "25006"} { // deadlock, serialization, read-only
		sql(t, address, failOnce(code))
		put(t, d, i)
		requireValue(t, d, strconv.Itoa(i))
		sql(t, address, "DROP TRIGGER fail ON holdfast.sessions; DROP FUNCTION holdfast.fail; DROP SEQUENCE holdfast.writes")
	}
}

// testJSONKeepsItsBytes: the service compares and hands on what it wrote.
func testJSONKeepsItsBytes(t *testing.T, address string) {
	const strange = `{"b" : 1,  "a":1e400, "a":[ ],"c":"\u0000\ud800\u00e9é"}`
	d := open(t, address)
	held := hold(t, d)
	c := next(held, 1)
	c.Documents = holdfast.Documents{"State": json.RawMessage(strange)}
	c.Entry = &state.Entry{Owner: "task", Key: "1", Seq: 1, Result: json.RawMessage(strange)}
	c.Marks = map[string]json.RawMessage{"task": json.RawMessage(strange)}
	c.Tasks, c.TasksChanged = []state.Task{{ID: "task", Error: "\x00"}}, true
	require.NoError(t, held.Commit(t.Context(), c))
	requireValue(t, d, strange)

	again, err := d.Acquire(t.Context(), state.Claim{Session: "test-one", Lease: time.Hour, Key: "1", Owner: "task"})
	require.NoError(t, err)
	defer again.Release()
	require.Equal(t, strange, string(again.Mark())) //nolint:testifylint // byte for byte is what is promised
	result, found := again.Recorded()
	require.True(t, found)
	require.Equal(t, strange, string(result)) //nolint:testifylint // byte for byte is what is promised
	require.Equal(t, c.Tasks[0].Error, again.Record().Tasks[0].Error)
	_, err = d.Expire(t.Context(), state.Expiry{Idle: time.Hour, Ledger: -time.Hour})
	require.NoError(t, err)
}

// testAFaultIsReturnedAsItIs: whatever else is wrong is for the caller, once, and the session is free.
func testAFaultIsReturnedAsItIs(t *testing.T, address string) {
	d := open(t, address)
	sql(t, address, failOnce("53100"))
	held := hold(t, d)
	err := held.Commit(t.Context(), next(held, 1))
	require.ErrorContains(t, err, "53100")
	require.NotErrorIs(t, err, holdfast.ErrLockExpired)
	held.Release()
	requireValue(t, d, "")
	put(t, d, 2)
	requireValue(t, d, "2")
}

// failOnce has the first write of a session fail. A sequence keeps its count when the transaction does not.
func failOnce(code string) string {
	return `CREATE SEQUENCE holdfast.writes;
		CREATE FUNCTION holdfast.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('holdfast.writes') = 1 THEN RAISE EXCEPTION 'not this time' USING ERRCODE = '` + code + `'; END IF;
			RETURN NULL;
		END $$;
		CREATE TRIGGER fail AFTER INSERT OR UPDATE ON holdfast.sessions FOR EACH ROW EXECUTE FUNCTION holdfast.fail()`
}

// testAServerThatTurnsReadOnly is one that was replaced by another and only reads from then on.
func testAServerThatTurnsReadOnly(t *testing.T, address string) {
	d := open(t, address)
	held := hold(t, d)
	sql(t, address, readOnly("SET default_transaction_read_only = on")+disconnect)
	err := held.Commit(t.Context(), next(held, 1))
	require.ErrorContains(t, err, "the server can only be read")
	require.NotErrorIs(t, err, holdfast.ErrLockExpired)
	sql(t, address, "SET transaction_read_only = off;"+readOnly("RESET default_transaction_read_only"))
	require.NoError(t, held.Commit(t.Context(), next(held, 1)), "the hold is still there")
	requireValue(t, d, "1")
}

// testWaitingTakesNoConnection: with one connection, a caller that waits for a session and another that reads go on.
func testWaitingTakesNoConnection(t *testing.T, address string) {
	d := open(t, address+"?pool_max_conns=1")
	held := hold(t, d)
	waiting, got := make(chan struct{}), make(chan error)
	go func() {
		close(waiting)
		second, err := d.Acquire(t.Context(), state.Claim{Session: "test-one", Lease: time.Hour})
		if err == nil {
			second.Release()
		}
		got <- err
	}()
	<-waiting
	for range 100 {
		requireValue(t, d, "")
		require.NoError(t, held.Renew(t.Context(), time.Hour))
	}
	require.NoError(t, held.Commit(t.Context(), next(held, 1)))
	require.NoError(t, <-got)
}

// locking holds the row of the session's hold in a transaction, as one that commits does, until end is called; end returns the
// server's time of just before.
func locking(t *testing.T, address string) (end func() time.Time) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	_, err = conn.Exec(t.Context(), "BEGIN")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "UPDATE holdfast.holds SET until = '-infinity'")
	require.NoError(t, err)
	return func() (now time.Time) {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT clock_timestamp()").Scan(&now))
		_, err = conn.Exec(t.Context(), "COMMIT")
		require.NoError(t, err)
		return now
	}
}

// waitsFor returns when a statement of a driver has waited for a lock for so long. It must not have ended before.
func waitsFor(t *testing.T, address string, ended <-chan error, long time.Duration) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	for waiting := false; !waiting; {
		select {
		case err := <-ended:
			require.Fail(t, "it did not wait", "%v", err)
		default:
		}
		require.NoError(t, conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE wait_event_type = 'Lock' AND datname = current_database() AND application_name = 'holdfast'
			AND query_start + $1::interval < clock_timestamp())`, long).Scan(&waiting))
	}
}

// acquiring takes the session in the background.
func acquiring(t *testing.T, d state.Driver, lease time.Duration) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := d.Acquire(t.Context(), state.Claim{Session: "test-one", Lease: lease})
		ended <- err
	}()
	return ended
}

// testALeaseBeginsWhenTheRowIsHad: while the row was another transaction's the lease must not run.
func testALeaseBeginsWhenTheRowIsHad(t *testing.T, address string) {
	const lease = 50 * time.Millisecond
	d := open(t, address)
	put(t, d, 1)
	end := locking(t, address)
	acquired := acquiring(t, d, lease)
	waitsFor(t, address, acquired, lease)
	ended := end()
	require.NoError(t, <-acquired)
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	var until time.Time
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT until FROM holdfast.holds").Scan(&until))
	require.False(t, until.Before(ended.Add(lease)), "until %s, and had since %s or later", until, ended)
}

// testTimeoutsOfARoleDoNotCount: who waits for a row, or removes what has expired, is not broken off.
func testTimeoutsOfARoleDoNotCount(t *testing.T, address string) {
	const timeout = 50 * time.Millisecond
	sql(t, address, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 50', current_database()); "+
		"EXECUTE format('ALTER DATABASE %I SET lock_timeout = 50', current_database()); END $$")
	d := open(t, address)
	put(t, d, 1)
	end := locking(t, address)
	acquired := acquiring(t, d, time.Hour)
	waitsFor(t, address, acquired, 2*timeout)
	end()
	require.NoError(t, <-acquired)
}
