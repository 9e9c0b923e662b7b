//go:build !linux

package sqlite

// machineClock is the clock of the wall.
func machineClock() clock { return wallClock() }
