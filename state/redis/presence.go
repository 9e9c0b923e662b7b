package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Who is present is noted in the slots of the indexes and nowhere else, by session and by
// starter, so that the two never differ. A note is a state and a text that no other note
// has: "connected 4xk…".

// presenceKeys are those of a part: the notes' names by session and by starter, and the
// notes.
func (d *Driver) presenceKeys(shard int) []string {
	return []string{
		d.keys.shard(shard, "present:session"), d.keys.shard(shard, "present:starter"), d.keys.shard(shard, "present:notes"),
	}
}

// RenewLease makes the starter's lease last for so long from now. A server that is out of
// memory takes it too, and so a starter that lives does not look dead.
func (d *Driver) RenewLease(ctx context.Context, starter string, lease time.Duration) (state.Lease, error) {
	reply, err := d.run(ctx, d.scripts.lease, []string{d.keys.starters()}, starter, lease.Microseconds()).Slice()
	if err != nil {
		return state.Lease{}, fmt.Errorf("redis: renew the lease: %w", err)
	}
	term, err := number(reply[0])
	if err != nil {
		return state.Lease{}, fmt.Errorf("redis: renew the lease: %w", err)
	}
	others, err := number(reply[1])
	if err != nil {
		return state.Lease{}, fmt.Errorf("redis: renew the lease: %w", err)
	}
	return state.Lease{Term: term, Others: int(others)}, nil
}

// SetPresence notes what the starter holds of the session.
func (d *Driver) SetPresence(ctx context.Context, session holdfast.SessionID, starter string, is state.PresenceState) error {
	keys := d.presenceKeys(shardOf(session))
	if err := d.run(ctx, d.scripts.present, keys, string(session), starter, string(is), rand.Text()).Err(); err != nil {
		return fmt.Errorf("redis: note the presence: %w", err)
	}
	return nil
}

// Presence returns what starters have noted of the session.
func (d *Driver) Presence(ctx context.Context, session holdfast.SessionID) ([]state.Presence, error) {
	reply, err := d.run(ctx, d.scripts.presence, d.presenceKeys(shardOf(session)), string(session)).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("redis: presence: %w", err)
	}
	if len(reply) == 0 {
		return nil, nil
	}
	living, err := d.living(ctx)
	if err != nil {
		return nil, fmt.Errorf("redis: presence: %w", err)
	}
	var all []state.Presence
	for pair := range slices.Chunk(reply, 2) {
		all = append(all, state.Presence{
			Session: session, Starter: pair[0], State: stateOf(pair[1]), Lapsed: !slices.Contains(living, pair[0]),
		})
	}
	return all, nil
}

// stateOf is the state that a note says.
func stateOf(note string) state.PresenceState {
	is, _, _ := strings.Cut(note, " ")
	return state.PresenceState(is)
}

// living are the starters whose lease has not lapsed, by the clock of the server that has
// the leases.
func (d *Driver) living(ctx context.Context) ([]string, error) {
	all, err := d.run(ctx, d.scripts.living, []string{d.keys.starters()}).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("read the starters' leases: %w", err)
	}
	return all, nil
}

// Lapsed returns the notes of starters without a lease.
func (d *Driver) Lapsed(ctx context.Context, limit int) ([]state.Presence, error) {
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

// left are notes of starters that are not among these, at most limit in each part.
func (d *Driver) left(ctx context.Context, limit int, living []string) (all []state.Presence, err error) {
	arguments := append(make([]any, 0, 1+len(living)), limit)
	for _, starter := range living {
		arguments = append(arguments, starter)
	}
	pipe := d.client.Pipeline()
	replies := make([]*goredis.Cmd, shards)
	for n := range shards {
		replies[n] = d.scripts.lapsed.pipe(ctx, pipe, d.presenceKeys(n), arguments...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("look for what was left: %w", err)
	}
	for _, reply := range replies {
		for pair := range slices.Chunk(list(reply.Val()), 2) {
			starter, session, _ := strings.Cut(text(pair[0]), "\x00")
			all = append(all, state.Presence{
				Session: holdfast.SessionID(session), Starter: starter, State: stateOf(text(pair[1])), Lapsed: true,
			})
		}
	}
	return all, nil
}

// RemoveLapsed removes the note of a starter without a lease. Note and lease are in
// different slots of a cluster, so no script sees both: the note is read before the
// lease, and removed only if it is still the same one. A starter that has got a lease
// since then notes anew, and that note is another one.
func (d *Driver) RemoveLapsed(ctx context.Context, session holdfast.SessionID, starter string) (gone bool, err error) {
	keys := d.presenceKeys(shardOf(session))
	note, err := d.client.HGet(ctx, keys[2], starter+"\x00"+string(session)).Result()
	if errors.Is(err, goredis.Nil) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("redis: read a dead starter's presence: %w", err)
	}
	living, err := d.living(ctx)
	if err != nil {
		return false, fmt.Errorf("redis: remove a dead starter's presence: %w", err)
	}
	if slices.Contains(living, starter) {
		return false, nil
	}
	struck, err := d.run(ctx, d.scripts.strike, keys, string(session), starter, note).Int()
	if err != nil {
		return false, fmt.Errorf("redis: remove a dead starter's presence: %w", err)
	}
	return struck == 1, nil
}

// forgetStarters removes the leases that ended longer ago. What such a starter left
// behind is found by Lapsed without them.
func (d *Driver) forgetStarters(ctx context.Context, ago time.Duration) error {
	if err := d.run(ctx, d.scripts.forget, []string{d.keys.starters()}, ago.Microseconds()).Err(); err != nil {
		return fmt.Errorf("remove starters: %w", err)
	}
	return nil
}
