package redis

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/holdfast-run/holdfast"
)

// index lists sessions of which something may be true. The package's comment says why it never lists too few.
type index string

const (
	existing index = "sessions" // by a time before which nothing of the session can expire
	tasked   index = "tasked"   // those that may have tasks
	waiting  index = "outbox"   // those that may have rows in the outbox, by a time that none of them is older than
)

// entry is a session in an index.
type entry struct {
	session holdfast.SessionID
	at      int64  // in microseconds
	term    string // that entered it last
}

// pending reports that what the entry announced may still be committed: the session's lease has its term.
func (e entry) pending(lease any) bool {
	holder, _, held := strings.Cut(text(lease), " ") // until when does not matter: it may have lapsed and still commit
	return held && holder == e.term
}

// of are the two keys of a part of the index: the sessions by time, and the terms that entered them.
func (i index) of(k keys, shard int) []string {
	return []string{k.shard(shard, string(i)), k.shard(shard, string(i)+":terms")}
}

// now is the time at which a script runs.
const now = ""

// enter must come before the term commits what the indexes list, as of now; a time is for what was missing.
func (d *Driver) enter(ctx context.Context, session holdfast.SessionID, term, at string, indexes []index) error {
	if len(indexes) == 0 {
		return nil
	}
	var keys []string
	for _, i := range indexes {
		keys = append(keys, i.of(d.keys, shardOf(session))...)
	}
	if err := d.run(ctx, d.scripts.enter, keys, string(session), term, at).Err(); err != nil {
		return fmt.Errorf("enter the session into the indexes: %w", err)
	}
	return nil
}

// everything is how long ago all entries of an index were entered.
const everything = ""

// entries are those of the index that were entered longer ago than so many microseconds, the oldest first.
func (d *Driver) entries(ctx context.Context, i index, ago string) (all []entry, err error) {
	pipe := d.client.Pipeline()
	replies := make([]*goredis.Cmd, shards)
	for n := range shards {
		replies[n] = d.scripts.entries.pipe(ctx, pipe, i.of(d.keys, n), ago)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("read the index of sessions: %w", err)
	}
	for _, reply := range replies {
		values := list(reply.Val())
		for j := 0; j+2 < len(values); j += 3 {
			at, err := strconv.ParseFloat(text(values[j+1]), 64) // a score, which Redis may write as 1e+15
			if err != nil {
				return nil, fmt.Errorf("read the index of sessions: %w", err)
			}
			all = append(all, entry{session: holdfast.SessionID(text(values[j])), at: int64(at), term: text(values[j+2])})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	return all, nil
}

// leave takes an entry out that was found to be false while its term did not hold the session.
func (d *Driver) leave(ctx context.Context, i index, e entry) error {
	if err := d.run(ctx, d.scripts.leave, i.of(d.keys, shardOf(e.session)), string(e.session), e.term).Err(); err != nil {
		return fmt.Errorf("take the session out of an index: %w", err)
	}
	return nil
}

// each asks for something of each session, many at a time, and hands on the answers in order. It ends early after a batch for
// which enough is true; next is the first entry of the batch to come.
func (d *Driver) each(ctx context.Context, all []entry, ask func(goredis.Pipeliner, entry) *goredis.Cmd,
	answer func(entry, []any) error, enough func(next entry) bool,
) error {
	const batch = 128
	for part := range slices.Chunk(all, batch) {
		if enough != nil && enough(part[0]) {
			return nil
		}
		pipe := d.client.Pipeline()
		replies := make([]*goredis.Cmd, len(part))
		for i, e := range part {
			replies[i] = ask(pipe, e)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("read sessions: %w", err)
		}
		for i, e := range part {
			if err := answer(e, list(replies[i].Val())); err != nil {
				return err
			}
		}
	}
	return nil
}
