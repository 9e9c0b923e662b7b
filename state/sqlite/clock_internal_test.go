package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// machine is one whose clock the test sets.
type machine struct {
	t    *testing.T
	path string
	boot string
	up   time.Duration // since the boot
}

// process opens a driver on the file, as a process of the machine.
func (m *machine) process() *Driver {
	m.t.Helper()
	d, err := open(m.t.Context(), m.path, Options{}, clock{boot: m.boot, micros: func() int64 { return m.up.Microseconds() }})
	require.NoError(m.t, err)
	m.t.Cleanup(func() { _ = d.Close() })
	return d
}

// boots starts the machine anew; no process is left.
func (m *machine) boots(id string) { m.boot, m.up = id, 0 }

const held1, used = holdfast.SessionID("test-held"), holdfast.SessionID("test-used")

// written is a machine that has run for some time, with one session that was used just now and another that is held,
// and a starter that is alive.
func written(t *testing.T) (*machine, *Driver, state.Held) {
	t.Helper()
	m := &machine{t: t, path: filepath.Join(t.TempDir(), "state.db"), boot: "first", up: 100 * time.Hour}
	d := m.process()
	held, err := d.Acquire(t.Context(), state.Claim{Session: used, Lease: time.Hour})
	require.NoError(t, err)
	require.NoError(t, held.Commit(t.Context(), &state.Commit{Epoch: "epoch", Version: 1}))
	held, err = d.Acquire(t.Context(), state.Claim{Session: held1, Lease: time.Hour})
	require.NoError(t, err)
	_, err = d.RenewLease(t.Context(), "starter", time.Hour)
	require.NoError(t, err)
	require.NoError(t, d.SetPresence(t.Context(), held1, "starter", state.PresenceConnected))
	return m, d, held
}

// requireTaken takes the session that was held, which must be free.
func requireTaken(t *testing.T, d *Driver) {
	t.Helper()
	_, err := d.try(t.Context(), state.Claim{Session: held1, Lease: time.Hour})
	require.NoError(t, err)
}

func requireExpired(t *testing.T, d *Driver, idle time.Duration, want int) {
	t.Helper()
	removed, err := d.Expire(t.Context(), state.Expiry{Idle: idle, Ledger: idle})
	require.NoError(t, err)
	require.Equal(t, want, removed)
}

func TestClock_IsOneForAllProcesses(t *testing.T) {
	t.Parallel()
	m, _, held := written(t)
	second := m.process()
	_, err := second.try(t.Context(), state.Claim{Session: held1, Lease: time.Hour})
	require.ErrorIs(t, err, errHeld)
	present, err := second.Presence(t.Context(), held1)
	require.NoError(t, err)
	require.Equal(t, []state.Presence{{Session: held1, Starter: "starter", State: state.PresenceConnected}}, present)
	require.NoError(t, held.Commit(t.Context(), &state.Commit{Epoch: "epoch", Version: 1}))
}

// TestClock_GoesOnWhileTheMachineSleeps: who holds a session is paused meanwhile, as is the starter.
func TestClock_GoesOnWhileTheMachineSleeps(t *testing.T) {
	t.Parallel()
	m, d, held := written(t)
	m.up += time.Hour + time.Second
	present, err := d.Presence(t.Context(), held1)
	require.NoError(t, err)
	require.Len(t, present, 1)
	require.True(t, present[0].Lapsed)
	requireExpired(t, d, 2*time.Hour, 0)
	requireExpired(t, d, time.Hour, 1)
	requireTaken(t, d)
	require.ErrorIs(t, held.Commit(t.Context(), &state.Commit{Epoch: "epoch", Version: 1}), holdfast.ErrLockExpired)
}

// TestClock_StartsAnewWithTheMachine: holds are free, presence is gone, and nothing expires too early or never.
func TestClock_StartsAnewWithTheMachine(t *testing.T) {
	t.Parallel()
	m, d, _ := written(t)
	require.NoError(t, d.Close())
	m.boots("second")
	d = m.process()
	lapsed, err := d.Lapsed(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, lapsed, 1)
	requireTaken(t, d)

	m.up += time.Hour - time.Second
	second := m.process()
	requireExpired(t, second, time.Hour, 0)
	m.up += 2 * time.Second
	requireExpired(t, second, time.Hour, 1)
}

// TestClock_GoesOnFromAFileWithoutOne: such a file has the times of a wall clock, which may have been ahead.
func TestClock_GoesOnFromAFileWithoutOne(t *testing.T) {
	t.Parallel()
	m, d, _ := written(t)
	_, err := d.writer.ExecContext(t.Context(), "DELETE FROM clock; UPDATE sessions SET touched_at = 9000000000000000")
	require.NoError(t, err)
	require.NoError(t, d.Close())
	d = m.process()
	requireTaken(t, d)
	m.up += time.Hour - time.Second
	requireExpired(t, d, time.Hour, 0)
	m.up += 2 * time.Second
	requireExpired(t, d, time.Hour, 1)
}
