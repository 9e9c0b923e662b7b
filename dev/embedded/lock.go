package embedded

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrInUse reports a database that another process has open.
var ErrInUse = errors.New("the database is used by another process")

// lockFile keeps other processes from the database, as two servers on one file would ruin it. The lock goes with the
// process, however that ends.
func lockFile(database string) (unlock func() error, err error) {
	if database == "" {
		return func() error { return nil }, nil
	}
	if err := prepare(database); err != nil {
		return nil, err
	}
	const ownerOnly = 0o600
	file, err := os.OpenFile(database+".lock", os.O_CREATE|os.O_RDWR, ownerOnly)
	if err != nil {
		return nil, fmt.Errorf("lock the embedded server's database: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w", database, ErrInUse)
		}
		return nil, fmt.Errorf("lock the embedded server's database %s: %w", database, err)
	}
	return file.Close, nil
}
