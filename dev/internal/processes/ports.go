package processes

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreePorts finds ports that nobody listens on; all are held until all are found, so that no
// two are the same.
func FreePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for range n {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close() //nolint:errcheck,revive,gocritic // all are held until the last is found
		addr, _ := listener.Addr().(*net.TCPAddr)
		ports = append(ports, addr.Port)
	}
	return ports
}
