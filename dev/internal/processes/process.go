package processes

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Process is a program that runs, or does not. Its methods are for one goroutine at a time.
type Process struct {
	t       testing.TB
	running *exec.Cmd
	log     io.Writer
}

// NewProcess returns a process that does not run. The test's end does not end it: the caller
// registers Kill.
func NewProcess(t testing.TB) Process { return Process{t: t, log: os.Stderr} }

// Run starts the process and returns when it says that it is ready.
func (p *Process) Run(command *exec.Cmd) {
	p.t.Helper()
	p.running = command
	p.running.Stderr = p.log
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

// PID is the number of the running process.
func (p *Process) PID() int { return p.running.Process.Pid }

// Kill gives the process no chance to do anything. One that does not run stays so.
func (p *Process) Kill() {
	if p.running != nil {
		_ = p.running.Process.Kill()
		_ = p.running.Wait()
		p.running = nil
	}
}

// Stop interrupts the process as Ctrl-C does and checks that it ends well.
func (p *Process) Stop() {
	p.t.Helper()
	p.Signal(syscall.SIGINT)
	p.Wait()
}

// Signal sends the running process a signal.
func (p *Process) Signal(signal os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.running.Process.Signal(signal))
}

// Wait waits until the process ends and checks that it ends well.
func (p *Process) Wait() {
	p.t.Helper()
	require.NoError(p.t, p.running.Wait(), "it ends well")
	p.running = nil
}
