package postgres_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/postgres"
	"github.com/holdfast-run/holdfast/state/postgres/postgrestest"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// These make this test program a process that counts, for TestSectionsOfTwoProcessesNeverOverlap.
const (
	childURL       = "HOLDFAST_TEST_COUNT_URL"
	childDirectory = "HOLDFAST_TEST_COUNT_DIRECTORY"
	childTimes     = "HOLDFAST_TEST_COUNT_TIMES"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := count(url, os.Getenv(childDirectory), os.Getenv(childTimes)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// count is what the child does.
func count(url, directory, times string) error {
	n, err := strconv.Atoi(times)
	if err != nil {
		return err
	}
	ctx := context.Background()
	driver, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		return err
	}
	service := state.Open(driver, state.Options{})
	defer service.Close()
	return statetest.Counting{Directory: directory, Callers: 32, Times: n}.Run(ctx, service)
}

func TestSectionsNeverOverlap(t *testing.T) {
	t.Parallel()
	service := serve(t, postgrestest.Start(t).URL())
	counting := statetest.Counting{Callers: 64, Times: rounds}
	require.NoError(t, counting.Run(t.Context(), service))
	requireCounted(t, service, 64*rounds)
}

func TestSectionsOfTwoProcessesNeverOverlap(t *testing.T) {
	t.Parallel()
	directory, url := t.TempDir(), postgrestest.Start(t).URL()
	service := serve(t, url)

	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childURL+"="+url, childDirectory+"="+directory, childTimes+"="+strconv.Itoa(rounds))
	child.Stderr = os.Stderr
	require.NoError(t, child.Start())
	require.NoError(t, statetest.Counting{Directory: directory, Callers: 32, Times: rounds}.Run(t.Context(), service))
	require.NoError(t, child.Wait())
	requireCounted(t, service, 64*rounds)
}

// TestCountIsExactOverACrash repeats what failed under its key, as the page and Temporal do.
func TestCountIsExactOverACrash(t *testing.T) {
	t.Parallel()
	const callers = 8
	server := postgrestest.Start(t)
	c := &crash{service: serve(t, server.URL()), over: make(chan struct{}), now: make(chan struct{}), at: callers * rounds / 3}
	handler, err := c.app().Handler(func(_ *holdfast.Tx, s *statetest.Count) error {
		s.N++
		return nil
	})
	require.NoError(t, err)

	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for n := range rounds {
				key := state.Key{Owner: fmt.Sprint("caller", caller), Position: fmt.Sprint(n), Seq: int64(n) + 1, Forget: int64(n)}
				if !c.count(t, state.Call{Handler: handler, Session: "test-one", Key: key}) {
					return
				}
			}
		})
	}
	<-c.now
	server.Kill(t)
	server.Restart(t)
	close(c.over)
	group.Wait()
	requireCounted(t, c.service, callers*rounds)
}

// crash is a server's, in the middle of counting.
type crash struct {
	service *state.Service
	counted atomic.Int64
	at      int64         // how far is counted before it
	now     chan struct{} // closed when it is counted so far
	over    chan struct{} // closed when the server is back
}

func (*crash) app() *holdfast.App { return statetest.Counting{}.App() }

// count makes the call until it is applied. Before the crash it works at once, after it in few tries.
func (c *crash) count(t *testing.T, call state.Call) bool {
	const tries = 100
	for range tries {
		_, err := c.service.Apply(t.Context(), call)
		if err == nil {
			if c.counted.Add(1) == c.at {
				close(c.now)
			}
			return true
		}
		<-c.over
	}
	return assert.Fail(t, "the call is not applied however often it is repeated")
}

// serve opens a service on the database.
func serve(t *testing.T, url string) *state.Service {
	t.Helper()
	service := state.Open(open(t, url), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	return service
}

func requireCounted(t *testing.T, service *state.Service, want int) {
	t.Helper()
	n, err := statetest.Counting{}.Counted(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, want, n)
}
