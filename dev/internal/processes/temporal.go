package processes

import (
	"fmt"
	"log/slog"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	temporalclient "go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// Temporal is a server that keeps its tasks and its address over restarts.
type Temporal struct {
	Process

	// Dir has its files, Address its frontend; UI is the URL of its Web UI.
	Dir, Address, UI string

	program string
	flags   []string
}

// StartTemporal starts a server, which ends with the test.
func StartTemporal(t testing.TB, programs *Programs) *Temporal {
	t.Helper()
	ports := FreePorts(t, 2)
	s := &Temporal{Process: NewProcess(t), Dir: t.TempDir(), program: programs.Path(t, temporalProgram)}
	s.Address, s.UI = fmt.Sprintf("127.0.0.1:%d", ports[0]), fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	s.flags = []string{"--directory", s.Dir, "--temporal-port", fmt.Sprint(ports[0]), "--ui-port", fmt.Sprint(ports[1])}
	t.Cleanup(s.Kill)
	s.Start()
	return s
}

// Start starts it, or starts it again, and returns when it says that it is ready.
func (s *Temporal) Start() {
	s.t.Helper()
	command := exec.Command(s.program, s.flags...) //nolint:gosec,noctx // Kill ends it
	command.Dir = s.Dir
	s.Run(command)
}

// Dial connects a client to a Temporal server until the test ends.
func Dial(t testing.TB, address string) temporalclient.Client {
	t.Helper()
	c, err := temporalclient.DialContext(t.Context(), temporalclient.Options{
		HostPort: address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}
