package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// A notification says what a notice says: a flag for the outbox and the session.
const (
	tellOthers = "SELECT pg_notify($1, $2)"
	withOutbox = "+"
	noOutbox   = "-"
	longest    = 7999 // bytes that a notification can have
)

// noticeOf is what others are told of a commit; empty: nothing.
func noticeOf(c *state.Commit, session holdfast.SessionID) string {
	flag := noOutbox
	switch {
	case len(c.Pending) > 0:
		flag = withOutbox
	case c.Change == nil:
		return ""
	}
	if len(flag)+len(session) > longest {
		return flag // any session
	}
	return flag + string(session)
}

func parseNotice(payload string) state.Notice {
	session, outbox := strings.CutPrefix(payload, withOutbox)
	if !outbox {
		session = strings.TrimPrefix(payload, noOutbox)
	}
	return state.Notice{Session: holdfast.SessionID(session), All: session == "", Outbox: outbox}
}

// Watch listens on a connection of its own. It begins by telling everyone to look, as it cannot know what was told before.
func (d *Driver) Watch(ctx context.Context, notify func(state.Notice)) error {
	living, cancel := d.within(ctx)
	defer cancel()
	err := d.listen(living, notify)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case d.life.Err() != nil:
		err = errClosed
	}
	return fmt.Errorf("postgres: watch: %w", err)
}

func (d *Driver) listen(ctx context.Context, notify func(state.Notice)) error {
	conn, closeConn, err := connect(ctx, d.config.ConnConfig)
	if err != nil {
		return err
	}
	defer closeConn()
	asking, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := conn.Exec(asking, "LISTEN "+pgx.Identifier{d.schema}.Sanitize()); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	notify(state.Notice{All: true, Outbox: true})
	for {
		notification, err := next(ctx, conn)
		if err != nil {
			return err
		}
		if notification != nil {
			notify(parseNotice(notification.Payload))
		}
	}
}

// next waits for a notification. After a silence it asks whether the server is still there, as a connection that died without a
// word would be silent too, and returns nil if it is.
func next(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	const silence = 5 * time.Second
	listening, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	notification, err := conn.WaitForNotification(listening)
	if err == nil {
		return notification, nil
	}
	if listening.Err() == nil || ctx.Err() != nil {
		return nil, fmt.Errorf("wait for a notification: %w", err)
	}
	asking, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if err := conn.Ping(asking); err != nil {
		return nil, fmt.Errorf("the server does not answer: %w", err)
	}
	return nil, nil
}
