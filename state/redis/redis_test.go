package redis_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/state"
	"github.com/holdfast-run/holdfast/state/redis"
	"github.com/holdfast-run/holdfast/state/redis/redistest"
	"github.com/holdfast-run/holdfast/state/statetest"
)

func open(t testing.TB, url string, o redis.Options) *redis.Driver {
	t.Helper()
	driver, err := redis.Open(t.Context(), url, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = driver.Close() })
	return driver
}

// conform runs the suite on one server; each store is a prefix.
func conform(t *testing.T, url string) {
	t.Helper()
	var stores atomic.Int32
	report := statetest.Run(t, func(testing.TB) statetest.Store {
		o := redis.Options{Prefix: fmt.Sprint("store", stores.Add(1))}
		return statetest.Store{Shared: true, Clock: true, Open: func(t testing.TB) state.Driver { //nolint:thelper // a step of the test
			return open(t, url, o)
		}}
	})
	require.Empty(t, report.Skipped, "Redis has all that a case may need")
}

func TestConformance(t *testing.T) {
	t.Parallel()
	conform(t, redistest.Start(t).URL())
}

func TestConformanceOnACluster(t *testing.T) {
	t.Parallel()
	conform(t, redistest.StartCluster(t).URL())
}
