package redis_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
	"github.com/holdfast-run/holdfast/state/statetest"
)

// These make this test program a process that counts, for TestSectionsOfTwoProcessesNeverOverlap.
const (
	childURL       = "HOLDFAST_TEST_COUNT_URL"
	childDirectory = "HOLDFAST_TEST_COUNT_DIRECTORY"
)

// rounds is how often each caller counts.
const rounds = 50

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := count(url, os.Getenv(childDirectory)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// count is what the child does.
func count(url, directory string) error {
	ctx := context.Background()
	driver, err := redis.Open(ctx, url, redis.Options{})
	if err != nil {
		return err
	}
	service := state.Open(driver, state.Options{})
	defer service.Close()
	return statetest.Counting{Directory: directory, Callers: 32, Times: rounds}.Run(ctx, service)
}

// serve opens a service on the server.
func serve(t testing.TB, url string) *state.Service {
	t.Helper()
	service := state.Open(open(t, url, redis.Options{}), state.Options{})
	t.Cleanup(func() { require.NoError(t, service.Close()) })
	return service
}

func TestSectionsNeverOverlap(t *testing.T) {
	t.Parallel()
	service := serve(t, redistest.Start(t, "--appendfsync", "everysec").URL())
	counting := statetest.Counting{Callers: 64, Times: rounds}
	require.NoError(t, counting.Run(t.Context(), service))
	n, err := counting.Counted(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, 64*rounds, n)
}

func TestSectionsOfTwoProcessesNeverOverlap(t *testing.T) {
	t.Parallel()
	url, directory := redistest.Start(t, "--appendfsync", "everysec").URL(), t.TempDir()
	service := serve(t, url)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childURL+"="+url, childDirectory+"="+directory)
	child.Stderr = os.Stderr
	require.NoError(t, child.Start())
	counting := statetest.Counting{Directory: directory, Callers: 32, Times: rounds}
	require.NoError(t, counting.Run(t.Context(), service))
	require.NoError(t, child.Wait())
	n, err := counting.Counted(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, 64*rounds, n)
}

// TestCountsThroughTheDeathOfTheServer kills the server again and again while callers count under keys and repeat what
// failed. With appendfsync always nothing that was answered is lost, and nothing is counted twice.
func TestCountsThroughTheDeathOfTheServer(t *testing.T) {
	t.Parallel()
	const callers, times, deaths = 8, 60, 3
	server := redistest.Start(t)
	service := serve(t, server.URL())
	handler, err := statetest.Counting{}.App().Handler(func(_ *holdfast.Tx, s *statetest.Count) error { s.N++; return nil })
	require.NoError(t, err)

	counted := make(chan struct{}, callers*times)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := range times {
				key := state.Key{Owner: fmt.Sprint(caller), Position: fmt.Sprint(i)}
				for {
					_, err := service.Apply(t.Context(), state.Call{Handler: handler, Session: "test-one", Key: key})
					if err == nil {
						break
					}
					if !assert.NoError(t, t.Context().Err()) {
						return
					}
				}
				counted <- struct{}{}
			}
		})
	}
	for range deaths {
		for range callers * times / (deaths + 1) {
			<-counted
		}
		server.Restart()
	}
	group.Wait()
	n, err := statetest.Counting{}.Counted(t.Context(), service)
	require.NoError(t, err)
	require.Equal(t, callers*times, n)
}
