package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Who is present is noted in the slots of the indexes and nowhere else, by session and by starter, so that the two never differ.

// presenceKeys are those of a part: the connections by session, and by starter.
func (d *Driver) presenceKeys(shard int) []string {
	return []string{d.keys.shard(shard, "present:session"), d.keys.shard(shard, "present:starter")}
}

// Beat makes the starter's lease last for so long from now. A server that is out of memory takes it too, and so a starter that lives
// does not look dead.
func (d *Driver) Beat(ctx context.Context, starter string, lease time.Duration) error {
	if err := d.run(ctx, d.scripts.beat, []string{d.keys.starters()}, starter, lease.Microseconds()).Err(); err != nil {
		return fmt.Errorf("redis: beat: %w", err)
	}
	return nil
}

// Present notes whether the starter holds a connection of the session.
func (d *Driver) Present(ctx context.Context, session holdfast.SessionID, starter string, present bool) error {
	keys := d.presenceKeys(shardOf(session))
	if err := d.run(ctx, d.scripts.present, keys, string(session), starter, flag(present)).Err(); err != nil {
		return fmt.Errorf("redis: note the presence: %w", err)
	}
	return nil
}

// Presence returns the starters that hold a connection of the session.
func (d *Driver) Presence(ctx context.Context, session holdfast.SessionID) ([]string, error) {
	key := d.presenceKeys(shardOf(session))[0]
	from, to := "["+string(session)+"\x00", "("+string(session)+"\x01"
	pairs, err := d.client.ZRangeByLex(ctx, key, &goredis.ZRangeBy{Min: from, Max: to}).Result()
	if err != nil {
		return nil, fmt.Errorf("redis: presence: %w", err)
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	living, err := d.living(ctx)
	if err != nil {
		return nil, fmt.Errorf("redis: presence: %w", err)
	}
	var all []string
	for _, pair := range pairs {
		if starter := strings.TrimPrefix(pair, string(session)+"\x00"); slices.Contains(living, starter) {
			all = append(all, starter)
		}
	}
	return all, nil
}

// living are the starters whose lease has not lapsed, by the clock of the server that has the leases.
func (d *Driver) living(ctx context.Context) ([]string, error) {
	all, err := d.run(ctx, d.scripts.living, []string{d.keys.starters()}).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("read the starters' leases: %w", err)
	}
	return all, nil
}

// Lapsed returns what starters without a lease have left behind.
func (d *Driver) Lapsed(ctx context.Context, limit int) ([]state.Absent, error) {
	living, err := d.living(ctx)
	if err != nil {
		return nil, fmt.Errorf("redis: lapsed: %w", err)
	}
	all, err := d.left(ctx, limit, living)
	if err != nil {
		return nil, fmt.Errorf("redis: lapsed: %w", err)
	}
	return all[:min(limit, len(all))], nil
}

// left are connections of starters that are not among these, at most limit in each part.
func (d *Driver) left(ctx context.Context, limit int, living []string) (all []state.Absent, err error) {
	arguments := append(make([]any, 0, 1+len(living)), limit)
	for _, starter := range living {
		arguments = append(arguments, starter)
	}
	pipe := d.client.Pipeline()
	replies := make([]*goredis.Cmd, shards)
	for n := range shards {
		replies[n] = d.scripts.lapsed.pipe(ctx, pipe, d.presenceKeys(n)[1:], arguments...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("look for what was left: %w", err)
	}
	for _, reply := range replies {
		for _, pair := range list(reply.Val()) {
			starter, session, _ := strings.Cut(text(pair), "\x00")
			all = append(all, state.Absent{Session: holdfast.SessionID(session), Starter: starter})
		}
	}
	return all, nil
}

// forgetStarters removes the leases that ended longer ago. What such a starter left behind is found by Lapsed without them.
func (d *Driver) forgetStarters(ctx context.Context, ago time.Duration) error {
	if err := d.run(ctx, d.scripts.forget, []string{d.keys.starters()}, ago.Microseconds()).Err(); err != nil {
		return fmt.Errorf("remove starters: %w", err)
	}
	return nil
}
