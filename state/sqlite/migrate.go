package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	sqlite3 "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a file as ours in SQLite's header: "Hold".
const applicationID = 0x486f6c64

// migrate brings the schema up to date. Of two processes that do so at the same time one fails, and finds the work done when
// it tries again.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	const tries = 10
	for try := 1; ; try++ {
		err := up(ctx, provider)
		if err == nil || try == tries || hopeless(err) {
			return err
		}
		const pause = 20 * time.Millisecond
		select {
		case <-time.After(time.Duration(try) * pause):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

// errNewer reports a file that a newer program has written.
var errNewer = errors.New("the file was written by a newer version of this program")

func up(ctx context.Context, provider *goose.Provider) error {
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	sources := provider.ListSources()
	if newest := sources[len(sources)-1].Version; current > newest {
		return fmt.Errorf("%w: its schema has version %d, this program knows %d", errNewer, current, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	return nil
}

// claim marks an empty file as ours and refuses one that is not. Its connection changes no setting that the file keeps.
func claim(ctx context.Context, path string) error {
	db, err := pool(path, "immediate", 1)
	if err != nil {
		return err
	}
	return errors.Join(mark(ctx, db), db.Close())
}

func mark(ctx context.Context, db *sql.DB) error {
	return transact(ctx, db, nil, func(tx *sql.Tx) error {
		var id, tables int
		if err := tx.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
		switch {
		case id == applicationID:
			return nil
		case id != 0 || tables > 0:
			return errors.New("the file is a database of another program")
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return fmt.Errorf("mark the file: %w", err)
		}
		return nil
	})
}

// hopeless reports an error that another try would not mend.
func hopeless(err error) bool {
	var e *sqlite3.Error
	if !errors.As(err, &e) {
		return errors.Is(err, errNewer)
	}
	switch e.Code() & 0xff {
	case codes.SQLITE_NOTADB, codes.SQLITE_CORRUPT, codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_FULL, codes.SQLITE_IOERR:
		return true
	default:
		return false
	}
}
