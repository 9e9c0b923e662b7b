package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// errNewer reports a schema that a newer program has written.
var errNewer = errors.New("the schema was written by a newer version of this program")

// migrate makes the schema and brings its tables up to date. Processes that do so at the same time do it one after the other,
// under an advisory lock on a connection of its own, with which the lock ends whatever happens.
func migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTime)
	defer cancel()
	conn, closeConn, err := connect(ctx, pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer closeConn()
	if err := settle(ctx, conn, schema); err != nil {
		return err
	}
	if err := persist(ctx, func() error { return lock(ctx, conn, schema) }); err != nil {
		return fmt.Errorf("wait for other processes that migrate the schema: %w", err)
	}
	if err := create(ctx, conn, schema); err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(pool)
	return errors.Join(persist(ctx, func() error { return up(ctx, db) }), db.Close())
}

// persist tries again for as long as something is locked.
func persist(ctx context.Context, try func() error) error {
	const pause = 50 * time.Millisecond
	for {
		err := try()
		if code(err) != locked {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// lock takes the lock of those who migrate the schema, on the connection.
func lock(ctx context.Context, conn *pgx.Conn, schema string) error {
	const key = 0x486f6c64 // "Hold", so that other programs in the database do not wait for us
	_, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1, hashtext($2))", key, schema)
	return err //nolint:wrapcheck // wrapped by the caller
}

// create makes the schema. That it is there is found out first: to say IF NOT EXISTS takes the right to create one.
func create(ctx context.Context, conn *pgx.Conn, schema string) error {
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", schema).Scan(&there); err != nil {
		return fmt.Errorf("look for the schema: %w", err)
	}
	if there {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
		return fmt.Errorf("create the schema: %w", err)
	}
	return nil
}

func up(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	sources := provider.ListSources()
	if newest := sources[len(sources)-1].Version; current > newest {
		return fmt.Errorf("%w: it has version %d, this program knows %d", errNewer, current, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	return nil
}
