package worker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkworker "go.temporal.io/sdk/worker"

	"github.com/holdfast-run/holdfast/worker"
)

func TestPrepare_KeepsWhatIsSet(t *testing.T) {
	t.Parallel()
	var o sdkworker.Options
	worker.Prepare(&o)
	require.Len(t, o.Interceptors, 2)
	require.Less(t, o.MaxHeartbeatThrottleInterval, time.Second)
	require.Less(t, o.DefaultHeartbeatThrottleInterval, time.Second)

	o = sdkworker.Options{MaxHeartbeatThrottleInterval: time.Minute, DefaultHeartbeatThrottleInterval: time.Hour}
	worker.Prepare(&o)
	require.Equal(t, time.Minute, o.MaxHeartbeatThrottleInterval)
	require.Equal(t, time.Hour, o.DefaultHeartbeatThrottleInterval)
}
