package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrInUse reports a database that another server has open, in this process or in another.
var ErrInUse = errors.New("the database is used by another process")

// fileLock keeps other servers from a database: each believes that it alone writes to it, and two would overrule each other. The
// lock goes with the process, however that ends. nil is the lock of a database in memory.
type fileLock struct{ file *os.File }

// lockDatabase takes the lock of a database, and makes the directory where it is missing. The lock is a file of its own:
// SQLite's locks on the database are the process's, and closing a second handle on it would let go of them.
func lockDatabase(database string) (*fileLock, error) {
	if database == "" {
		return nil, nil
	}
	const ownerOnly, dirOwnerOnly = 0o600, 0o700
	if err := os.MkdirAll(filepath.Dir(database), dirOwnerOnly); err != nil {
		return nil, fmt.Errorf("make the directory of the database: %w", err)
	}
	file, err := os.OpenFile(database+".lock", os.O_CREATE|os.O_RDWR, ownerOnly) //nolint:gosec // the path is the caller's choice
	if err != nil {
		return nil, fmt.Errorf("open the lock of the database: %w", err)
	}
	if err := tryLock(file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock the database %s: %w", database, err)
	}
	lock := &fileLock{file}
	if err := createOwnerOnly(database); err != nil {
		return nil, errors.Join(err, lock.release())
	}
	return lock, nil
}

// createOwnerOnly makes the database, where it is missing, before SQLite would for all to read. What exists is not opened, see
// lockDatabase.
func createOwnerOnly(database string) error {
	const ownerOnly = 0o600
	file, err := os.OpenFile(database, os.O_CREATE|os.O_EXCL|os.O_RDWR, ownerOnly) //nolint:gosec // as above
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	return nil
}

// release lets go of the lock. The file stays: a process that waits to remove it could remove the next one's.
func (l *fileLock) release() error {
	if l == nil {
		return nil
	}
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("release the lock of the database: %w", err)
	}
	return nil
}
