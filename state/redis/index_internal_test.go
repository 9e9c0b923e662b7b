package redis

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
)

// readers read an index each, and take false entries out of it.
func readers(t *testing.T, d *Driver) map[index]func() {
	t.Helper()
	return map[index]func(){
		waiting: func() {
			rows, err := d.Outbox(t.Context(), 10)
			require.NoError(t, err)
			require.Empty(t, rows)
		},
		tasked: func() {
			listed, err := d.Listed(t.Context())
			require.NoError(t, err)
			require.Empty(t, listed)
		},
		existing: func() {
			removed, err := d.Expire(t.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
			require.NoError(t, err)
			require.Zero(t, removed)
		},
	}
}

func (d *Driver) size(t *testing.T, i index) int {
	t.Helper()
	entries, err := d.entries(t.Context(), i, everything)
	require.NoError(t, err)
	return len(entries)
}

// TestEntryStaysWhileItsTermMayCommit: a process has entered the session and not committed yet.
func TestEntryStaysWhileItsTermMayCommit(t *testing.T) {
	t.Parallel()
	const session = holdfast.SessionID("test-one")
	d, err := Open(t.Context(), redistest.Start(t).URL(), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	for i, read := range readers(t, d) {
		first, err := d.Acquire(t.Context(), state.Claim{Session: session, Lease: time.Minute})
		require.NoError(t, err)
		term := first.(*held).term
		require.NoError(t, d.enter(t.Context(), session, term, "7", []index{i}))
		read()
		require.Equal(t, 1, d.size(t, i), "%s: the term holds the session", i)
		first.Release()
		require.NoError(t, d.enter(t.Context(), session, "another", "8", []index{i}))
		require.NoError(t, d.leave(t.Context(), i, entry{session: session, term: term}))
		require.Equal(t, 1, d.size(t, i), "%s: another term has entered it since", i)
		require.NoError(t, d.enter(t.Context(), session, "", "9", []index{i}))
		require.NoError(t, d.leave(t.Context(), i, entry{session: session}))
		require.Equal(t, 1, d.size(t, i), "%s: what was made good does not take the term away", i)
		read()
		require.Zero(t, d.size(t, i), "%s: the term can never commit any more", i)
	}
}

func TestOutboxIsOldestFirstAmongManySessions(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), redistest.Start(t, "--appendfsync", "no").URL(), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	const sessions = 300 // more than are read at a time
	var want []string
	add := func(id holdfast.SessionID, row string, settled ...string) {
		h, err := d.Acquire(t.Context(), state.Claim{Session: id, Lease: time.Minute})
		require.NoError(t, err)
		require.NoError(t, h.Commit(t.Context(), &state.Commit{
			Epoch: "e", Version: h.Record().Version + 1,
			Pending: []state.Pending{{ID: row, Session: id}}, Settled: settled,
		}))
		want = append(want, row)
	}
	add("test-early", "settled")
	for n := range sessions - 1 {
		row := strconv.Itoa(n)
		add(holdfast.SessionID("test-"+row), row)
	}
	add("test-early", "late", "settled") // it is in the index since the beginning, and its row is the newest
	want = want[1:]
	for _, limit := range []int{1, 100, 128, sessions, 2 * sessions} {
		rows, err := d.Outbox(t.Context(), limit)
		require.NoError(t, err)
		var got []string
		for _, r := range rows {
			got = append(got, r.ID)
		}
		require.Equal(t, want[:min(limit, sessions)], got)
	}
}

// TestExpiryDoesNotWaitForARepair: the indexes cannot be compared with the sessions now, and are so later.
func TestExpiryDoesNotWaitForARepair(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	d, err := Open(t.Context(), cluster.URL(), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	h, err := d.Acquire(t.Context(), state.Claim{Session: "test-one", Lease: time.Minute})
	require.NoError(t, err)
	require.NoError(t, h.Commit(t.Context(), &state.Commit{Epoch: "e", Version: 1}))

	broken, cancel := context.WithCancel(t.Context())
	cancel()
	turn := d.keys.repaired()
	require.Error(t, d.repairer.repair(broken, turn, time.Hour))
	removed, err := d.Expire(t.Context(), state.Expiry{Idle: -time.Hour, Ledger: time.Hour})
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	require.NoError(t, d.client.Set(t.Context(), "holdfast:{odd}:record", "no hash", 0).Err())
	require.NoError(t, d.client.HSet(t.Context(), "holdfast:{one}:record", "touched", "never").Err())
	require.Error(t, d.repairer.repair(t.Context(), turn, time.Hour), "a session that cannot be entered")
	n, err := d.client.Exists(t.Context(), turn).Result()
	require.NoError(t, err)
	require.Zero(t, n, "the turn was given back")
}
