package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// unprepared has a statement sent in one go: behind a pooler, what was prepared may be on another connection.
const unprepared = pgx.QueryExecModeExec

// inspect makes sure that the server is one that the driver can work with, before anything is written to it.
func inspect(ctx context.Context, config *pgx.ConnConfig) error {
	ctx, cancel := context.WithTimeout(ctx, inspectTime)
	defer cancel()
	conn, closeConn, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer closeConn()
	var number int
	var version, encoding string
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'),
		current_setting('server_encoding')`, unprepared).Scan(&number, &version, &encoding)
	if err != nil {
		return fmt.Errorf("ask for the server's version: %w", err)
	}
	if err := suits(number, version, encoding); err != nil {
		return err
	}
	return hears(ctx, conn, config)
}

// suits refuses a server that lacks something.
func suits(number int, version, encoding string) error {
	const oldest = 14
	switch {
	case number < oldest*10000:
		return fmt.Errorf("the server is PostgreSQL %s; version %d or later is needed", version, oldest)
	case encoding != "UTF8":
		return fmt.Errorf("the database has encoding %s; UTF8 is needed", encoding)
	}
	return nil
}

// errDeaf reports a pooler that gives no session.
var errDeaf = errors.New("notifications do not arrive (LISTEN/NOTIFY); is there a pooler in between that gives a connection for " +
	"one transaction only, such as PgBouncer with pool_mode=transaction? Connect to the server itself, or use pool_mode=session")

// hears makes sure that what one connection is told with NOTIFY comes to another one that listens.
func hears(ctx context.Context, conn *pgx.Conn, config *pgx.ConnConfig) error {
	channel := "holdfast-" + rand.Text()
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	second, closeSecond, err := connect(ctx, config)
	if err != nil {
		return err
	}
	defer closeSecond()
	if _, err := second.Exec(ctx, "SELECT pg_notify($1, '')", unprepared, channel); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	const patience = 3 * time.Second
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err = conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		return nil
	case ctx.Err() == nil && waiting.Err() != nil:
		return errDeaf
	}
	return fmt.Errorf("wait for a notification: %w", err)
}
