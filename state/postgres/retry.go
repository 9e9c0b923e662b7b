package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// again runs f, and again after an error that may says is one to try again after.
func (d *Driver) again(ctx context.Context, may func(error) bool, f func(context.Context) error) error {
	ctx, cancel := d.within(ctx)
	defer cancel()
	const (
		tries = 4
		pause = 10 * time.Millisecond
	)
	for try := 1; ; try++ {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if d.life.Err() != nil {
			return errClosed
		}
		if try == tries || ctx.Err() != nil || !may(err) {
			return err
		}
		if code(err) == readOnly || broken(err) {
			d.pool.Reset() // the other connections lead to the same server
		}
		select {
		case <-time.After(time.Duration(try) * pause):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// within is ctx, and ends with the driver too.
func (d *Driver) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// send sends the statements in one go and reads the answers. Without BEGIN and COMMIT among them they are one transaction.
func (d *Driver) send(ctx context.Context, b *pgx.Batch) error {
	return d.with(ctx, answerTime, func(ctx context.Context, l *line) error {
		return l.SendBatch(ctx, b).Close() //nolint:wrapcheck // as database/sql: wrapped where one knows what it was for
	})
}

// exec runs a statement that may be repeated, and returns how many rows it touched; what names it for the error.
func (d *Driver) exec(ctx context.Context, what, statement string, args ...any) (n int64, err error) {
	err = d.again(ctx, transient, func(ctx context.Context) error {
		return d.with(ctx, answerTime, func(ctx context.Context, l *line) error {
			tag, err := l.Exec(ctx, statement, args...)
			n = tag.RowsAffected()
			return err //nolint:wrapcheck // wrapped below
		})
	})
	if err != nil {
		return 0, fmt.Errorf("postgres: %s: %w", what, err)
	}
	return n, nil
}

// SQLSTATEs: of a write to a server that only reads, and of a wait for a lock that took too long.
const (
	readOnly = "25006"
	locked   = "55P03"
)

// undone reports an error with which certainly nothing was written, and after which it is worth to try again.
func undone(err error) bool {
	switch code(err) {
	case "40001", "40P01", readOnly, locked: // serialization, deadlock
		return true
	case "":
		return pgconn.SafeToRetry(err) || failedToConnect(err) && !errors.Is(err, errReadOnly)
	}
	return false
}

// transient reports an error after which a statement that may be repeated is tried again.
func transient(err error) bool { return undone(err) || broken(err) }

// broken reports the end of a connection, by the network or by the server, and one that is silent.
func broken(err error) bool {
	switch c := code(err); {
	case c == "57P01" || c == "57P02" || strings.HasPrefix(c, "08"): // an administrator, a crash, a failed connection
		return true
	case c != "" || failedToConnect(err):
		return false
	case errors.Is(err, errSilent):
		return true
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed)
}
