package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	sqliteschema "go.temporal.io/server/schema/sqlite"
)

// ErrDatabase reports a file that is not a database, or not one of this version of the server.
var ErrDatabase = errors.New("not a database of this Temporal server")

// driver is registered by the server's SQLite plugin.
const driver = "sqlite"

// ensureSchema makes the schema of a file that is new or empty, and compares that of another with the one that this server
// would make: the server keeps no version in SQLite, and would find out by errors in the middle of its work.
func ensureSchema(ctx context.Context, name string) (err error) {
	db, err := sql.Open(driver, "file:"+name+"?mode=rwc")
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	have, err := columns(ctx, db)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDatabase, err)
	case len(have) == 0:
		return makeSchema(ctx, db)
	}
	want, err := ownColumns(ctx)
	if err != nil {
		return err
	}
	if !slices.Equal(have, want) {
		return fmt.Errorf("%w, but of another version or program: %s; move the file away to start afresh", ErrDatabase, difference(have, want))
	}
	return nil
}

// makeSchema makes all tables or none, also when the process dies in between.
func makeSchema(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	if err := sqliteschema.SetupSchemaOnDB(schemaTx{ctx: ctx, tx: tx}); err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	return nil
}

// schemaTx lets the server's statements run in a transaction of ours. Exec is all that they need.
type schemaTx struct {
	sqlplugin.AdminDB
	ctx context.Context //nolint:containedctx // Exec has none
	tx  *sql.Tx
}

// Exec runs one statement.
func (s schemaTx) Exec(statement string, args ...any) error {
	_, err := s.tx.ExecContext(s.ctx, statement, args...)
	return err
}

// ownColumns are the columns of the schema that this server makes.
func ownColumns(ctx context.Context) (_ []string, err error) {
	db, err := sql.Open(driver, ":memory:")
	if err != nil {
		return nil, fmt.Errorf("open a database in memory: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // each connection has a memory of its own
	if err := makeSchema(ctx, db); err != nil {
		return nil, err
	}
	return columns(ctx, db)
}

// columns are those of all tables, with their types, in an order that does not depend on that of their making.
func columns(ctx context.Context, db *sql.DB) ([]string, error) {
	const query = `SELECT t.name || '.' || c.name || ' ' || c.type FROM pragma_table_list t, pragma_table_xinfo(t.name) c
		WHERE t.schema = 'main' AND t.type IN ('table', 'virtual') AND t.name NOT LIKE 'sqlite_%' ORDER BY 1`
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var column string
		if err := rows.Scan(&column); err != nil {
			return nil, fmt.Errorf("read the schema: %w", err)
		}
		all = append(all, column)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return all, nil
}

// difference names one column that is not in both lists.
func difference(have, want []string) string {
	for _, column := range want {
		if !slices.Contains(have, column) {
			return "it lacks " + column
		}
	}
	for _, column := range have {
		if !slices.Contains(want, column) {
			return "it has " + column
		}
	}
	return "a column is there twice"
}
