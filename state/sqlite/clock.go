package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// clock is one that all processes of the machine share.
type clock struct {
	// boot tells one life of the clock from the next: it starts anew when the machine boots.
	boot string
	// micros is the clock's time in microseconds. It goes on while the machine sleeps.
	micros func() int64
}

// wallClock is the clock of the wall, for a system that has no better one. It has one life.
func wallClock() clock {
	return clock{micros: func() int64 { return time.Now().UnixMicro() }}
}

// now is the file's time in microseconds.
func (d *Driver) now() int64 { return d.aheadBy + d.clock.micros() }

// setClock finds out how far the file's clock is ahead of the machine's. After a boot it goes on from the last use that
// is known, so that a session gets its whole time: what the machine was off does not count. All processes of the boot
// before are dead, so the leases are void.
func (d *Driver) setClock(ctx context.Context) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		var boot string
		err := tx.QueryRowContext(ctx, "SELECT boot, ahead_by FROM clock").Scan(&boot, &d.aheadBy)
		if err == nil && boot == d.clock.boot {
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return d.startClock(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("set the file's clock: %w", err)
	}
	return nil
}

func (d *Driver) startClock(ctx context.Context, tx *sql.Tx) error {
	var last sql.NullInt64
	if err := tx.QueryRowContext(ctx, "SELECT max(touched_at) FROM sessions").Scan(&last); err != nil {
		return err
	}
	if !last.Valid {
		last.Int64 = time.Now().UnixMicro() // any would do; this one people can read
	}
	d.aheadBy = last.Int64 - d.clock.micros()
	w := &writing{ctx: ctx, tx: tx}
	w.exec("note the boot", `INSERT INTO clock (one, boot, ahead_by) VALUES (1, ?1, ?2)
		ON CONFLICT (one) DO UPDATE SET boot = ?1, ahead_by = ?2`, d.clock.boot, d.aheadBy)
	w.exec("void the leases", "DELETE FROM leases")
	w.exec("void the starters' leases", "UPDATE starters SET until = min(until, ?)", last.Int64)
	return w.err
}
