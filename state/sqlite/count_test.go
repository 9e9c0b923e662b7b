package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/sqlite"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// childDirectory and childTimes make this test program a process that counts, for TestSectionsOfTwoProcessesNeverOverlap.
const (
	childDirectory = "HOLDFAST_TEST_COUNT_DIRECTORY"
	childTimes     = "HOLDFAST_TEST_COUNT_TIMES"
)

func TestMain(m *testing.M) {
	if directory := os.Getenv(childDirectory); directory != "" {
		if err := count(directory, os.Getenv(childTimes)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// count is what the child does.
func count(directory, times string) error {
	n, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	ctx := context.Background()
	driver, err := sqlite.Open(ctx, filepath.Join(directory, "state.db"), sqlite.Options{})
	if err != nil {
		return err
	}
	service := state.Open(driver, state.Options{})
	defer service.Close()
	return statetest.Counting{Directory: directory, Callers: 32, Times: n}.Run(ctx, service)
}

func TestSectionsNeverOverlap(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	service := state.Open(open(t, filepath.Join(directory, "state.db")), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	counting := statetest.Counting{Callers: 64, Times: rounds}
	require.NoError(t, counting.Run(t.Context(), service))
	n, err := counting.Counted(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, 64*rounds, n)
}

func TestSectionsOfTwoProcessesNeverOverlap(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	service := state.Open(open(t, filepath.Join(directory, "state.db")), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })

	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childDirectory+"="+directory, childTimes+"="+strconv.Itoa(rounds))
	child.Stderr = os.Stderr
	require.NoError(t, child.Start())
	counting := statetest.Counting{Directory: directory, Callers: 32, Times: rounds}
	require.NoError(t, counting.Run(t.Context(), service))
	require.NoError(t, child.Wait())
	n, err := counting.Counted(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, 64*rounds, n)
}
