// Package redis keeps sessions in Redis 7 or later, or in Valkey: one server, or a cluster. Processes on many machines may
// share it.
//
// # What is where
//
// All keys of a session have the session's name as their hash tag, holdfast:{session}:…, so that they are in one slot of a
// cluster and one script can change them together:
//
//   - record: a hash with epoch, version, revision, tasks, last use, and the term that committed last
//   - documents: a hash of JSON texts, kept byte for byte
//   - changes and messages: streams whose ids are the revision and the message's number, so that they are read by number
//   - ledger, numbered:<owner>: results by key, and an owner's keys by number
//   - marks, owners: what is kept of each owner beside its calls, and when it called last
//   - order and rows: the session's rows of the outbox, by time
//   - lease and waiting: the term that holds the session, and a mark that somebody waits for it
//
// A hold is the lease key: a random term, and until when it keeps others out by the server's clock. A commit is one script: it
// looks whether the lease still has the term, writes everything, and deletes the lease. A stale holder's script finds another
// term, or none, and writes nothing. A lease that has lapsed while nobody wanted the session is still good. No clock of a client
// matters to this.
//
// What concerns all sessions is in a fixed number of slots with hash tags of their own, {holdfast:0}: and so on: three indexes
// of sessions (those that exist, those that may have tasks, those that may have rows of the outbox), who is present, the
// starters' leases, and the stream of notices.
//
// # Why an index misses nothing
//
// In a cluster a session and its entry in an index cannot change together. The entry is written first, with the term that is about
// to commit: an entry may say too much, never too little, however a process dies. The rows in the session's slot are what counts;
// who reads an index looks there. If there are no rows and the entry's term does not hold the session, that term can never commit
// again, and the entry is taken out unless another term has renewed it meanwhile.
//
// # Waiting and watching
//
// Who finds a session held leaves a mark, and the end of the hold then publishes the session's name on a channel which each
// driver listens to. A lost word costs little: who waits looks again by itself, with growing and scattered pauses of at most
// 0.3 seconds.
//
// Notices are numbered entries of a bounded stream. A watch reads on from where it was; a number that does not follow the
// one before means that it missed something, and it says that everything may have changed. On one server the notice is part of the
// commit. In a cluster it follows the commit in the background: no commit waits for the server of the notices, several of a session
// may become one, and a process that dies between the two leaves it out; readers look now and then without being told.
//
// # What is durable
//
// A commit that was answered survives as far as the server's own writes do:
//
//   - appendonly yes, appendfsync always: the loss of power on the server's machine. This is what sessions that matter deserve.
//   - appendonly yes, appendfsync everysec (the server's default once appendonly is on): the death of the server's process,
//     but for moments in which its disk does not keep up; a loss of power takes about the last second.
//   - appendonly no (Redis' default): whatever snapshot there is. All since then is gone.
//   - Replicas are written to after the answer. A failover may lose the last commits. The driver does not wait for replicas
//     (WAIT), which would make that rarer and not impossible; min-replicas-to-write bounds how long a cut-off master goes
//     on. Sessions then go on from an older commit. A session's epoch stays; positions beyond that commit are answered with
//     state.ErrGap and so with a new snapshot, unless as many new commits came first. An effect outside of the store, such as a
//     started workflow, is not undone, and a call that was answered and is not repeated stays lost. A lease that the failover lost may
//     be given to another; the fence holds all the same.
//   - In a cluster the slots of a session and of an index are on different machines and fail over for themselves. One of the
//     processes therefore goes through the sessions, every ten minutes and when watches begin anew, and enters again what a
//     failover took out of the indexes.
//   - maxmemory-policy must be noeviction. Any other lets the server throw sessions away when memory is short; with noeviction,
//     commits fail instead and nothing is lost.
//
// [Open] looks at these settings and warns.
//
// # Clocks
//
// Leases, what is idle and what is old are decided by the clocks of the servers (TIME in scripts), those of a session by its server's,
// those of starters by that of the server with the notices; clocks of processes may say anything. In a cluster the servers should have
// NTP: as far as their clocks are apart, rows of the outbox of different sessions may change places, and sessions be removed later.
// At a failover leases end by the new server's clock, sooner or later by the difference, which should be well below ten seconds.
//
// # Which server
//
// One address leads to one server, which must be the master: [Open] refuses a replica. There is no support for Sentinel: the address of
// a server that Sentinel watches goes on to lead to that one. To use it, put something in between whose address always leads to the
// master, such as a proxy or a name that the failover changes; the client connects anew when a server answers READONLY. A cluster
// finds its masters by itself.
//
// # What the user must be allowed
//
// Redis looks at each command of a script when it comes to it, after others have written. A user who lacks one would leave half a
// commit, and so [Open] has a script call each of them and refuses such a user. With the default prefix it needs these keys and
// commands (the last two lines in a cluster only, on each of its servers):
//
//	~holdfast:* ~{holdfast*
//	+eval +evalsha +time +del +exists +get +set +hset +hsetnx +hget +hmget +hgetall +hdel
//	+zadd +zcard +zrange +zrangebyscore +zrangebylex +zrem
//	+xadd +xtrim +xrange +xrevrange +xread
//	+scan
//	+cluster|slots
//
// It does without these: who waits for a session then looks by itself, and settings that lose sessions are not warned of.
//
//	&holdfast:freed +publish +subscribe
//	+info +config|get
//
// # When the server is away
//
// Errors are returned as they come: a broken connection, LOADING, READONLY, TRYAGAIN, CLUSTERDOWN. A commit whose answer is
// lost is asked for again a few times under the same term, and the script knows the term that was written last. If it stays
// unclear, the error says so and is not holdfast.ErrLockExpired. Everything else may be repeated by the client without harm.
//
// A connection may fall silent, with no word of its end. A command waits for its answer for three seconds (read_timeout of the
// address), as dialing does (dial_timeout). When one has waited in vain for two seconds or more, the driver breaks all
// connections to that server from which nothing has come since, so that the next try gets a new one. A watch
// waits for four seconds.
package redis
