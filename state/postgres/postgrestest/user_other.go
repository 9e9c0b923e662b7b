//go:build !unix

package postgrestest

import (
	"os"
	"os/exec"
)

// The server runs as the test's user.
func asAnother(*exec.Cmd) {}

func giveAway(string) error { return nil }

// quit ends a server without letting it finish anything.
func quit(process *os.Process) { _ = process.Kill() }
