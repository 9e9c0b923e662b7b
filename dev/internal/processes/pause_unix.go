//go:build unix

package processes

import "syscall"

// Pause stops the process (SIGSTOP) at whatever it does. Its connections stay open, and nothing
// answers on them until Wake.
func (p *Process) Pause() {
	p.t.Helper()
	p.Signal(syscall.SIGSTOP)
}

// Wake lets a paused process go on.
func (p *Process) Wake() {
	p.t.Helper()
	p.Signal(syscall.SIGCONT)
}
