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
// replication promise, no more and no less.
//
// A server that only reads is never written to: the driver asks on each new connection, and with several hosts in the URL goes
// on to the next one. Of a process whose machine vanishes in the middle of sending a commit the server hears nothing; it gives
// the session free when the connection's keepalive has failed, in about ten seconds.
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
// [Open] finds out and says. PgBouncer with pool_mode=session is fine.
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
