package statetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

// Count is the state that [Counting] counts in.
type Count struct {
	N int `json:"n"`
}

// Counting lets many callers count in one session through the whole state service, and notices sections that overlap.
type Counting struct {
	// Directory, if set, is for a mark that a section leaves while it runs, to notice an overlap with other processes that
	// count with the same directory.
	Directory string
	// Callers count at the same time, each Times times.
	Callers, Times int
}

// App is the app whose session is counted in.
func (Counting) App() *holdfast.App { return holdfast.NewApp("test", Count{}) }

// Run counts through the service and returns the first error.
func (c Counting) Run(ctx context.Context, service *state.Service) error {
	app := c.App()
	running := &atomic.Int32{}
	errs := make(chan error, c.Callers)
	var group sync.WaitGroup
	for range c.Callers {
		group.Go(func() {
			for range c.Times {
				if err := service.Do(ctx, app, session, c.section(running)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	group.Wait()
	close(errs)
	return <-errs
}

var errOverlap = errors.New("two sections overlap")

// section counts, and notices whether another section runs in this process or with the same directory.
func (c Counting) section(running *atomic.Int32) func(*holdfast.Tx, *Count) error {
	return func(_ *holdfast.Tx, s *Count) error {
		defer running.Add(-1)
		if running.Add(1) != 1 {
			return errOverlap
		}
		s.N++
		if c.Directory == "" {
			return nil
		}
		mark := filepath.Join(c.Directory, "a section runs")
		const ownerOnly = 0o600
		file, err := os.OpenFile(mark, os.O_CREATE|os.O_EXCL, ownerOnly)
		if errors.Is(err, fs.ErrExist) {
			return errOverlap
		}
		if err != nil {
			return fmt.Errorf("mark the section: %w", err)
		}
		return errors.Join(file.Close(), os.Remove(mark))
	}
}

// Counted is how far the session has been counted.
func (c Counting) Counted(ctx context.Context, service *state.Service) (n int, err error) {
	err = service.View(ctx, c.App(), session, func(_ *holdfast.Tx, s *Count) error { n = s.N; return nil })
	return n, err
}
