//go:build !race

package sqlite_test

// rounds is how often each caller counts.
const rounds = 1000
