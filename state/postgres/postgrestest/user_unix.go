//go:build unix

package postgrestest

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// another is the user that the server runs as when the test is root's, which PostgreSQL refuses; nil: the test's own.
func another() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}
		}
	}
	return nil
}

// asAnother makes the command run as that user.
func asAnother(command *exec.Cmd) {
	if credential := another(); credential != nil {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	}
}

// giveAway makes the file that user's.
func giveAway(path string) error {
	if credential := another(); credential != nil {
		return os.Chown(path, int(credential.Uid), int(credential.Gid)) //nolint:wrapcheck // it names the path
	}
	return nil
}

// quit ends a server without letting it finish anything.
func quit(process *os.Process) { _ = process.Signal(syscall.SIGQUIT) }
