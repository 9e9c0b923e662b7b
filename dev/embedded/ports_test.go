package embedded_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-run/holdfast/dev/embedded"
)

func TestATakenPortIsRefused(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for name, o := range map[string]embedded.Options{
		"Frontend": {Port: port},
		"WebUI":    {UI: true, UIPort: port},
	} {
		_, err = embedded.Start(t.Context(), o)
		require.ErrorIs(t, err, syscall.EADDRINUSE, name)
		require.ErrorContains(t, err, strconv.Itoa(port), name)
	}
}

func TestAWantedPortIsTakenAndGivenBack(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{UI: true})
	_, text, err := net.SplitHostPort(s.Address())
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	s.Stop()
	require.Equal(t, "127.0.0.1:"+text, start(t, embedded.Options{Port: port}).Address())
}

func TestAStartThatIsCancelledReturnsTheCause(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	_, err := embedded.Start(ctx, embedded.Options{})
	require.ErrorIs(t, err, enough)
}
