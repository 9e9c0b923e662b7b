//go:build race

package postgres_test

// rounds is how often each caller counts.
const rounds = 20
