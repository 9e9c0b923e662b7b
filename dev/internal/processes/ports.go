package processes

import (
	"fmt"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreePorts finds ports without a listener; all are held until all are found, so that no
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

// FreeAddress is one on the loopback interface without a listener.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", FreePorts(t, 1)[0])
}
