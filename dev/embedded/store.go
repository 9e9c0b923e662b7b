package embedded

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"path/filepath"

	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
)

// openStore prepares the database, its schema and the namespace, and returns the server's configuration of it.
func openStore(ctx context.Context, o Options) (*config.SQL, error) {
	if o.Database == "" {
		store := storeConfig(rand.Text(), map[string]string{"mode": "memory", "cache": "shared"})
		return store, ensureNamespace(ctx, store, o)
	}
	name, err := fileName(o.Database)
	if err != nil {
		return nil, err
	}
	if err := ensureSchema(ctx, name); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Database, err)
	}
	store := storeConfig(name, map[string]string{
		"mode": "rw",
		// What is not a parameter of SQLite's is run as a pragma on each connection. With a write-ahead log a commit is one append,
		// and with synchronous=1 the disk is waited for at checkpoints alone: together two to four times the throughput. A
		// process that is killed loses nothing; a machine without power may lose the last moments, and the file stays whole.
		"journal_mode": "wal",
		"synchronous":  "1",
		// The server keeps a connection for as long as the process lives, under these attributes. This one means nothing and makes
		// them differ from those of an earlier start, whose file may have been removed since.
		"setup": rand.Text(),
	})
	if err := ensureNamespace(ctx, store, o); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Database, err)
	}
	return store, nil
}

func storeConfig(name string, attributes map[string]string) *config.SQL {
	return &config.SQL{PluginName: sqlite.PluginName, DatabaseName: name, ConnectAttributes: attributes}
}

// fileName makes a path what may stand in the URI with which SQLite opens a file.
func fileName(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("the path of the database: %w", err)
	}
	return (&url.URL{Path: filepath.ToSlash(absolute)}).EscapedPath(), nil
}
