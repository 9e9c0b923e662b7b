package redis

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/holdfast-run/holdfast"
)

// shards is over how many slots the indexes are spread. All processes must agree, so it is no option.
const shards = 8

// keys makes the names of keys under one prefix.
type keys struct{ prefix string }

// session is the name of one of the session's keys. All have the same hash tag, so a brace in the session's own name is masked.
func (k keys) session(session holdfast.SessionID, name string) string {
	tag := strings.NewReplacer("%", "%25", "{", "%7b", "}", "%7d").Replace(string(session))
	return k.prefix + ":{" + tag + "}:" + name
}

// sessionOf is the session of a key that session made.
func (k keys) sessionOf(key string) holdfast.SessionID {
	tag, _, _ := strings.Cut(strings.TrimPrefix(key, k.prefix+":{"), "}")
	return holdfast.SessionID(strings.NewReplacer("%25", "%", "%7b", "{", "%7d", "}").Replace(tag))
}

// of are several of the session's keys.
func (k keys) of(session holdfast.SessionID, names ...string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = k.session(session, name)
	}
	return all
}

// shard is one of the keys of a part of what concerns all sessions.
func (k keys) shard(n int, name string) string { return fmt.Sprintf("{%s:%d}:%s", k.prefix, n, name) }

// shardOf is the part that the session belongs to.
func shardOf(session holdfast.SessionID) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(session)) // never fails, says its documentation
	return int(hash.Sum32() % shards)
}

// notices is the stream of notices, starters the hash of the starters' leases.
func (k keys) notices() string  { return "{" + k.prefix + "}:notices" }
func (k keys) starters() string { return "{" + k.prefix + "}:starters" }

// repaired is there for a while after the indexes were compared with the sessions, repairedAnew if it was because a watch began.
func (k keys) repaired() string     { return "{" + k.prefix + "}:repaired" }
func (k keys) repairedAnew() string { return "{" + k.prefix + "}:repaired:anew" }

// freed is the channel on which ended holds are told.
func (k keys) freed() string { return k.prefix + ":freed" }
