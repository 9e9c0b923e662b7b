// Package postgres keeps sessions in a PostgreSQL database, which any number of processes on any number of machines may share.
//
// # Who is authoritative
//
// The database is, and its clock. A hold is a row in the table of holds with a term, an id that is never used twice, and a
// time of the server's clock at which it lapses; clocks of processes do not count. Acquire takes the row and reads the
// session in one round trip. Commit sends one transaction in one round trip: it begins by giving up the row that has the
// term, is broken off by the server if there is none any more, and keeps that row locked until it is written. That is the
// fence.
//
// No transaction is open and no connection is taken while an author's section runs or while a caller waits for one. A row
// lock in an open transaction would hand a session on a little faster, but each running or waiting section would occupy a
// connection of the server for seconds, callers that wait could starve those that hold, a connection lost would be a
// hold lost, and whether a broken transaction had been committed would be guessed from how its socket died.
//
// # Lost connections, crashes, failover
//
// A hold does not depend on a connection: the next statement goes out on another one, and what a broken connection cut off is
// tried again at once, a few times. So is a commit: the fence lets no second one in, and the session's row tells whether a
// try whose answer was lost had been written. [holdfast.ErrLockExpired] means that certainly nothing was; where that cannot
// be found out, because the server stays away or others have written since, the caller gets the error, and finds out by its
// key. A transaction that the server broke off (deadlock 40P01, serialization 40001, read-only 25006) is tried again too.
//
// The table of holds is unlogged: taking a hold waits for no disk, and after a crash, an immediate shutdown or a failover to
// a replica it is empty, so that every hold from before is lost. A commit survives what the server's synchronous_commit and
// replication promise, no more and no less:
//
//   - Without a replica: fsync and synchronous_commit (both on unless somebody changed that) keep what was answered, also when the
//     machine loses power. With synchronous_commit off such a loss takes up to three times wal_writer_delay, 0.6 seconds.
//   - With replicas that follow asynchronously (the default): a failover loses the commits that had not reached the one that takes
//     over, though they were answered. Their sessions then go on from an older commit, whole: state, ledger, outbox and log of one
//     moment. A call that repeats is applied again, as it should be; one that was answered and is not repeated stays lost, and its
//     task goes on as if it had happened. Rows of the outbox that had been done are there again, and are done again, which does no
//     harm: a start has a fixed id. A workflow or message that went out is not called back. Pages get a snapshot.
//   - With synchronous_standby_names and synchronous_commit on: a failover to such a replica loses nothing that was answered.
//
// A connection may fall silent, with no word of its end. A statement that gets no answer within three seconds is broken off,
// all idle connections are replaced with its own, and it is tried again like one that a broken connection cut off. A watch asks after
// five seconds of silence. The server ends a statement that waits for another's row after two seconds, and it is tried
// again.
//
// A server that only reads is never written to: the driver asks on each new connection, and with several hosts in the URL goes
// on to the next one. Of a process whose machine vanishes in the middle of sending a commit the server hears nothing; it gives
// the session free when the connection's keepalive has failed, in about seven seconds.
//
// # Clocks
//
// Leases, what is idle and what is old are decided by the clock of the server alone; that of a process may say anything. At a failover
// the clock of another server takes over. If it is ahead, starters' leases ([state.PresenceLease]) lapse and sessions expire that
// much sooner, if it is behind, that much later; so the servers should have NTP, and be well within ten seconds of each other.
//
// # Changes
//
// A commit is told with NOTIFY, in the same round trip but after the transaction: a transaction that notifies holds a lock of
// the whole database until it is on disk, so that no two could be written together. A notice that was lost with its
// connection is made good by readers, who look now and then; [Driver.Watch] tells everyone to look each time it begins.
//
// # What the server must be
//
// PostgreSQL 14 or later, encoding UTF8, with PL/pgSQL (which is there unless it was dropped), and a role that may create the
// schema, or owns it. A process opens at most [Options.Connections] connections, one more for its watch, and two for a moment
// while it opens; max_connections must have room for that, times the processes. It needs sessions of its own: behind a pooler
// that gives a server connection for one transaction (PgBouncer with pool_mode=transaction) nothing can be listened to, which
// [Open] finds out and says. PgBouncer with pool_mode=session is fine. A statement_timeout or lock_timeout of the role or database does
// not count on these connections.
//
// # Growing
//
// No statement of a section looks at two sessions, and every table but the outbox and that of starters has a primary key that begins
// with the session, so they can be partitioned by a hash of it (PARTITION BY HASH (session)): each statement then goes to one partition,
// and vacuum and indexes stay small. The script partition.sql beside this file converts a store while no process runs; the
// conformance suite passes on what it makes. The outbox stays one table: it is short, and read in its order.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holdfast-run/holdfast/state"
)

// Options tune a driver. The zero value is good.
type Options struct {
	// Schema is where the tables are; drivers on the same schema share their sessions. It is made where it is missing. Defaults to
	// "holdfast". At most 63 bytes.
	Schema string
	// Connections is how many connections the driver opens at most, beside the one of its watch. Sections that run take none,
	// so it bounds only what is read and written in the same instant. Defaults to pool_max_conns of the URL, or else to 16.
	Connections int
}

// Driver keeps sessions in a PostgreSQL database. It is safe for concurrent use.
type Driver struct {
	config *pgxpool.Config
	schema string // also the channel of notifications
	pool   *pgxpool.Pool
	life   context.Context // ends with Close
	end    context.CancelFunc
	close  sync.Once
}

var _ state.Driver = (*Driver)(nil)

var errClosed = errors.New("the driver is closed")

// Open connects to the database of a URL such as postgres://user:password@host:5432/database and brings the schema up to
// date; of several processes that open at once, one does. It refuses a server that is too old, that can only be read, or
// behind which nothing can be listened to, and a schema that was written by a newer version of this package. An error names
// the server and the database, and never the password.
func Open(ctx context.Context, url string, o Options) (_ *Driver, err error) {
	if o.Schema == "" {
		o.Schema = "holdfast"
	}
	const longest = 63 // what PostgreSQL keeps of a name
	if len(o.Schema) > longest {
		return nil, fmt.Errorf("postgres: the name of the schema is longer than %d bytes", longest)
	}
	config, err := configure(url, o)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	d := &Driver{config: config, schema: o.Schema}
	d.life, d.end = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("postgres: open %s: %w", place(config), explain(err, config)), d.Close())
		}
	}()
	if err := inspect(ctx, config.ConnConfig); err != nil {
		return nil, err
	}
	if d.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	return d, migrate(ctx, d.pool, o.Schema)
}

// Close ends what is going on, gives the connections back and waits for that. Holds that are still open can no longer commit,
// and lapse; watches end.
func (d *Driver) Close() error {
	d.close.Do(func() {
		d.end()
		if d.pool != nil {
			d.pool.Close()
		}
	})
	return nil
}

// connect opens a connection outside of the pool.
func connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, func(), error) {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	return conn, func() {
		const patience = time.Second
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = conn.Close(ctx) // nothing was being written
	}, nil
}
