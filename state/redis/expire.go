package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Touch notes that the session, and an owner of its ledger, are in use.
func (d *Driver) Touch(ctx context.Context, session holdfast.SessionID, owner string) error {
	if err := d.run(ctx, d.scripts.touch, d.keys.of(session, "record", "owners"), owner).Err(); err != nil {
		return fmt.Errorf("redis: touch: %w", err)
	}
	return nil
}

// Expire removes what is no longer needed. It looks at the sessions of which the index says that something may be: the entry's
// time is not later than the last use and not later than any call in the ledger.
func (d *Driver) Expire(ctx context.Context, e state.Expiry) (removed int, err error) {
	entries, err := d.entries(ctx, existing, strconv.FormatInt(min(e.Idle, e.Ledger).Microseconds(), 10))
	if err == nil {
		err = d.each(ctx, entries, func(p goredis.Pipeliner, at entry) *goredis.Cmd {
			calls := d.keys.session(at.session, callsOf)
			return d.scripts.expire.pipe(ctx, p, d.expireKeys(at.session), e.Idle.Microseconds(), e.Ledger.Microseconds(), calls)
		}, func(at entry, reply []any) error {
			gone, err := d.looked(ctx, at, reply)
			if gone {
				removed++
			}
			return err
		}, nil)
	}
	if err = errors.Join(err, d.forgetStarters(ctx, e.Idle)); err != nil {
		return removed, fmt.Errorf("redis: expire: %w", err)
	}
	return removed, nil
}

func (d *Driver) expireKeys(session holdfast.SessionID) []string {
	return d.keys.of(session, "lease", "record", "owners", "order", "ledger", "marks", "rows", "documents", "changes", "messages")
}

// looked brings the index up to date with what became of a session, and reports whether it was removed.
func (d *Driver) looked(ctx context.Context, e entry, reply []any) (removed bool, err error) {
	if len(reply) == 0 {
		return false, errReply
	}
	switch what := text(reply[0]); {
	case what == "removed":
		return true, d.leave(ctx, existing, e)
	case what == "gone" && (len(reply) < 2 || !e.pending(reply[1])):
		return false, d.leave(ctx, existing, e)
	case what == "kept" && len(reply) == 2:
		return false, d.postpone(ctx, e, text(reply[1]))
	}
	return false, nil
}

// postpone makes an entry's time later.
func (d *Driver) postpone(ctx context.Context, e entry, until string) error {
	at, err := number(until)
	if err != nil || at <= e.at {
		return err
	}
	times := existing.of(d.keys, shardOf(e.session))[:1]
	if err := d.run(ctx, d.scripts.postpone, times, string(e.session), at).Err(); err != nil {
		return fmt.Errorf("enter when to look again: %w", err)
	}
	return nil
}
