// Package sqlite keeps sessions in one SQLite file, which several processes of one machine may share.
//
// SQLite admits one writer at a time to the whole file, so no transaction is open while an author's section runs: a
// hold is a row in the table of leases, taken in one short transaction and given up in the one that commits. A process
// that finds a session held by another one looks again after a few milliseconds.
//
// # Clocks
//
// Leases, what is idle and what is old are decided by one clock, whatever the clocks of processes say: on Linux
// the time since the machine's boot (CLOCK_BOOTTIME), which all processes read alike, which goes on while the
// machine sleeps, and which cannot be set. After a boot, which [Open] knows by its id, the leases of sessions and
// starters are void, and the file's time goes on from its last use: the time that the machine was off does not
// count, so that nothing expires too early. Containers that share the file must be on one machine, and see one
// boot id. Other systems use the clock of the wall: where that is set forward by hours, leases
// lapse and sessions expire.
//
// A waiter could do without a common clock, and watch for the time of a lease whether it is renewed. But then
// each session of a dead process costs a whole lease, however long it is dead, and neither presence
// nor expiry can be decided so.
//
// # Durability
//
// The file is in write-ahead mode. A commit survives the death of the process at any moment. Whether it also survives that
// of the machine is a choice, see [Options].
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/holdfast-run/holdfast/state"
)

// Options tune a driver. The zero value is good.
type Options struct {
	// FullSync waits for the disk at each commit, so that none is lost when the machine loses power; it costs most of the
	// throughput. Without it such a loss takes the last moments; the file stays whole either way.
	FullSync bool
	// Poll is how often the driver looks for other processes' commits. Defaults to 15 ms.
	Poll time.Duration
}

// Driver keeps sessions in a SQLite file. It is safe for concurrent use.
type Driver struct {
	path     string
	poll     time.Duration
	fullSync bool
	clock    clock
	aheadBy  int64   // how far the file's clock is ahead of the machine's, in microseconds
	writer   *sql.DB // one connection: SQLite has one writer, and in one process it is better queued for here
	reader   *sql.DB
	close    sync.Once
	closed   chan struct{}
}

var _ state.Driver = (*Driver)(nil)

// readers is how many connections may read at the same time.
const readers = 4

// Open opens the file, makes it where it is missing, and brings its schema up to date. A file that is no database, is another
// program's, or was written by a newer version of this package is refused and left as it is.
func Open(ctx context.Context, path string, o Options) (*Driver, error) {
	return open(ctx, path, o, machineClock())
}

func open(ctx context.Context, path string, o Options, c clock) (_ *Driver, err error) {
	if path == "" {
		return nil, errors.New("sqlite: the path is empty")
	}
	const ownerOnly = 0o700
	if err := os.MkdirAll(filepath.Dir(path), ownerOnly); err != nil {
		return nil, fmt.Errorf("sqlite: make the directory of %s: %w", path, err)
	}
	if o.Poll == 0 {
		o.Poll = 15 * time.Millisecond
	}
	d := &Driver{path: path, poll: o.Poll, fullSync: o.FullSync, clock: c, closed: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("sqlite: open %s: %w", path, err), d.Close())
		}
	}()
	if err := create(path); err != nil {
		return nil, err
	}
	if err := claim(ctx, path); err != nil { // before anything is done to a file that may be another program's
		return nil, err
	}
	if d.writer, err = connect(path, o, "immediate", 1); err != nil {
		return nil, err
	}
	if err := migrate(ctx, d.writer); err != nil {
		return nil, err
	}
	if err := d.setClock(ctx); err != nil {
		return nil, err
	}
	d.reader, err = connect(path, o, "deferred", readers)
	return d, err
}

// create makes the file, where it is missing, for the owner's eyes alone: it will hold everybody's state. SQLite gives the
// files that it keeps beside it the same permissions. The file appears under its name when it is closed already: to close a
// second handle on a file that SQLite has open in this process would let go of SQLite's locks.
func create(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // Open wraps it; it names the path
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600, says its documentation
	if err != nil {
		return fmt.Errorf("make the file: %w", err)
	}
	err = file.Close()
	if err == nil {
		err = os.Link(file.Name(), path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil // another process was faster
	}
	return errors.Join(err, os.Remove(file.Name()))
}

// connect makes a pool of connections; none is opened yet.
func connect(path string, o Options, lock string, most int) (*sql.DB, error) {
	synchronous := "NORMAL"
	if o.FullSync {
		synchronous = "FULL"
	}
	return pool(path, lock, most, "journal_mode(WAL)", "synchronous("+synchronous+")", "foreign_keys(1)")
}

func pool(path, lock string, most int, pragmas ...string) (*sql.DB, error) {
	const patience = "busy_timeout(5000)" // first: the others may have to wait
	parameters := url.Values{"_txlock": {lock}, "_pragma": append([]string{patience}, pragmas...)}
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	db, err := sql.Open("sqlite", "file:"+escaped+"?"+parameters.Encode())
	if err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db, nil
}

// Close closes the file. Holds that are still open can no longer commit; watches end.
func (d *Driver) Close() error {
	var errs []error
	d.close.Do(func() {
		close(d.closed)
		for _, db := range []*sql.DB{d.reader, d.writer} {
			if db != nil {
				errs = append(errs, db.Close())
			}
		}
	})
	return errors.Join(errs...)
}

// busy reports that another process was writing for longer than the connection waits.
func busy(err error) bool {
	var e *sqlite3.Error
	const primary = 0xff // the lower byte of SQLite's extended codes
	return errors.As(err, &e) && e.Code()&primary == codes.SQLITE_BUSY
}

// write runs f in a transaction that writes.
func (d *Driver) write(ctx context.Context, f func(*sql.Tx) error) error {
	return transact(ctx, d.writer, nil, f)
}

// read runs f in a transaction that sees one moment.
func (d *Driver) read(ctx context.Context, f func(*sql.Tx) error) error {
	return transact(ctx, d.reader, &sql.TxOptions{ReadOnly: true}, f)
}

func transact(ctx context.Context, db *sql.DB, o *sql.TxOptions, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, o)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// ignoreDone drops the complaint of a transaction that its context has already rolled back.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func micros(t time.Time) int64 { return t.UnixMicro() }
