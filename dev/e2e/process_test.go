// Package e2e runs the whole program as its users do, in processes that are killed, with a browser before it.
package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	temporalclient "go.temporal.io/sdk/client"

	"github.com/holdfast-run/holdfast/dev/internal/processes"
)

// built are the programs of this test run.
var built *processes.Programs

func TestMain(m *testing.M) {
	os.Exit(processes.Run(m, func(programs *processes.Programs) { built = programs }))
}

// The programs under test that are one process.
const (
	theExamples = "github.com/holdfast-run/holdfast/dev"
	theWhole    = "github.com/holdfast-run/holdfast/dev/e2e/whole"
)

// installation is a directory and ports on which one process after the other runs.
type installation struct {
	processes.Process

	t        testing.TB
	program  string
	dir      string
	address  string
	temporal string // the address of its Temporal server
	flags    []string
}

// install makes an installation of the program that is built of the package, with flags of go build.
func install(t testing.TB, pkg string, flags ...string) *installation {
	t.Helper()
	ports := processes.FreePorts(t, 3)
	in := &installation{Process: processes.NewProcess(t), t: t, program: built.Path(t, pkg, flags...), dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", ports[0])}
	in.temporal = fmt.Sprintf("127.0.0.1:%d", ports[1])
	in.flags = []string{
		"--directory", in.dir, "--starter-address", in.address,
		"--temporal-port", fmt.Sprint(ports[1]), "--ui-port", fmt.Sprint(ports[2]),
	}
	t.Cleanup(in.Kill)
	return in
}

// Start starts the process and returns when it says that it is ready.
func (in *installation) Start() {
	in.t.Helper()
	command := exec.Command(in.program, in.flags...)
	command.Dir = in.dir
	in.Run(command)
}

// Client is a Temporal client of the running process.
func (in *installation) Client() temporalclient.Client {
	in.t.Helper()
	return processes.Dial(in.t, in.temporal)
}

func (in *installation) URL(path string) string { return "http://" + in.address + path }
