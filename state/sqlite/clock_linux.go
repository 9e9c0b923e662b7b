package sqlite

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machineClock is the time since the machine's boot, which cannot be set.
func machineClock() clock {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &unix.Timespec{}) != nil {
		return wallClock() // of a system that looks like Linux and is another
	}
	return clock{boot: strings.TrimSpace(string(boot)), micros: sinceBoot}
}

func sinceBoot() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // it has succeeded once, and depends on nothing
	return t.Nano() / int64(time.Microsecond)
}
