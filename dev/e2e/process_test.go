// Package e2e runs the whole program as its users do, in processes that are killed, with a browser before it.
package e2e_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	temporalclient "go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

// programs builds each program once.
type programs struct {
	mu    sync.Mutex // protects built
	dir   string
	built map[string]string
}

// built are the programs of this test run; TestMain removes them.
var built = &programs{built: map[string]string{}}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "holdfast-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// path builds the package, if that has not been done, and returns the program.
func (p *programs) path(t testing.TB, pkg string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if path, ok := p.built[pkg]; ok {
		return path
	}
	path := filepath.Join(p.dir, fmt.Sprintf("program%d", len(p.built)))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, pkg).CombinedOutput()
	require.NoError(t, err, string(out))
	p.built[pkg] = path
	return path
}

// The programs under test.
const (
	theExamples = "github.com/holdfast-run/holdfast/dev"
	theWhole    = "github.com/holdfast-run/holdfast/dev/e2e/whole"
	theParts    = "github.com/holdfast-run/holdfast/dev/e2e/parts"
	theTemporal = "github.com/holdfast-run/holdfast/dev/temporal"
)

// process is a program that runs, or does not.
type process struct {
	t       testing.TB
	running *exec.Cmd
}

// run starts the process and returns when it says that it is ready.
func (p *process) run(command *exec.Cmd) {
	p.t.Helper()
	p.running = command
	p.running.Stderr = os.Stderr
	out, err := p.running.StdoutPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, p.running.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "Ready") {
			go func() {
				for lines.Scan() { // so that it never waits for its output to be taken
				}
			}()
			return
		}
	}
	p.t.Fatalf("the program ended before it was ready: %v", p.running.Wait())
}

// kill gives the process no chance to do anything.
func (p *process) kill() {
	if p.running != nil {
		_ = p.running.Process.Kill()
		_ = p.running.Wait()
		p.running = nil
	}
}

// stop interrupts the process as Ctrl-C does and checks that it ends well.
func (p *process) stop() {
	p.t.Helper()
	require.NoError(p.t, p.running.Process.Signal(syscall.SIGINT))
	require.NoError(p.t, p.running.Wait())
	p.running = nil
}

// installation is a directory and ports on which one process after the other runs.
type installation struct {
	process
	program  string
	dir      string
	address  string
	temporal string // the address of its Temporal server
	flags    []string
}

func install(t testing.TB, pkg string) *installation {
	t.Helper()
	ports := freePorts(t, 3)
	in := &installation{process: process{t: t}, program: built.path(t, pkg), dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", ports[0])}
	in.temporal = fmt.Sprintf("127.0.0.1:%d", ports[1])
	in.flags = []string{
		"--directory", in.dir, "--starter-address", in.address,
		"--temporal-port", fmt.Sprint(ports[1]), "--ui-port", fmt.Sprint(ports[2]),
	}
	t.Cleanup(in.kill)
	return in
}

// start starts the process and returns when it says that it is ready.
func (in *installation) start() {
	in.t.Helper()
	command := exec.Command(in.program, in.flags...)
	command.Dir = in.dir
	in.run(command)
}

// client is a Temporal client of the running process.
func (in *installation) client() temporalclient.Client {
	in.t.Helper()
	return dial(in.t, in.temporal)
}

func dial(t testing.TB, address string) temporalclient.Client {
	t.Helper()
	c, err := temporalclient.DialContext(t.Context(), temporalclient.Options{
		HostPort: address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func (in *installation) url(path string) string { return "http://" + in.address + path }

// freePorts finds ports that nobody listens on; all are held until all are found, so that no two are the same.
func freePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close() //nolint:revive,gocritic // all are held until the last is found
		addr, _ := listener.Addr().(*net.TCPAddr)
		ports = append(ports, addr.Port)
	}
	return ports
}
