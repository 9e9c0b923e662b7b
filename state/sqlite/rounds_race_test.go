//go:build race

package sqlite_test

// rounds is how often each caller counts. The race detector slows SQLite, which is translated C, fiftyfold; `make test`
// counts to the full number without it.
const rounds = 20
