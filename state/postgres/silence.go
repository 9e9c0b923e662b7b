package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// A network may swallow what is sent, in both directions and without a word: a firewall forgets a connection, a
// machine loses its power. The kernel notices after a quarter of an hour. So nothing here waits for an answer for longer
// than it may take.
const (
	// answerTime is how long the server may take to answer, or to go on with its answer. It leaves a commit time for a second
	// try within a section's deadline.
	answerTime = 3 * time.Second
	// lockTime is how long a statement waits for a row that another transaction has. It is shorter, so that the server says
	// so before it counts as silent.
	lockTime = 2 * time.Second
	// sweepTime is how long it may take to remove what has expired.
	sweepTime = time.Minute
	// inspectTime and migrateTime bound the parts of Open.
	inspectTime, migrateTime = 30 * time.Second, 5 * time.Minute
)

// errSilent reports a server that has not answered in time. What it was asked to do, it may have done.
var errSilent = errors.New("the server does not answer")

// dialer has the kernel find out in seconds that a server is gone which is not being asked anything, or which is busy.
func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 4 * time.Second, Interval: time.Second, Count: 3,
	}}
}

// line is a connection of the pool that is in use.
type line struct {
	*pgxpool.Conn
	limit time.Duration
	timer *time.Timer
}

// heard gives the server its time again.
func (l *line) heard() { l.timer.Reset(l.limit) }

// with calls f with a connection of the pool and breaks it off with errSilent when the limit has passed since it
// began or was heard of. The wait for a connection does not count: each of those in use is limited itself.
func (d *Driver) with(ctx context.Context, limit time.Duration, f func(context.Context, *line) error) error {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return err //nolint:wrapcheck // wrapped where one knows what it was for
	}
	defer free(conn)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(limit, func() { cancel(errSilent) })
	defer timer.Stop()
	err = f(ctx, &line{Conn: conn, limit: limit, timer: timer})
	if err != nil && errors.Is(context.Cause(ctx), errSilent) {
		return fmt.Errorf("%w: %w", errSilent, err)
	}
	return err
}

// free gives the connection back. One that is closed leaves the pool at once, with room for another: it takes its time to
// say good-bye to a server that does not answer.
func free(conn *pgxpool.Conn) {
	if conn.Conn().IsClosed() {
		conn.Hijack()
		return
	}
	conn.Release()
}
