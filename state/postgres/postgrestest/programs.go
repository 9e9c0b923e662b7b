package postgrestest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Variables of the environment that say which programs to start.
const (
	chosenPostgres  = "HOLDFAST_TEST_POSTGRES"
	chosenPgBouncer = "HOLDFAST_TEST_PGBOUNCER"
)

// programs is the directory with the programs of PostgreSQL: the chosen one, or the newest that is installed.
func programs(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(chosenPostgres); dir != "" {
		if !complete(dir) {
			t.Fatalf("%s: %s has no initdb and postgres", chosenPostgres, dir)
		}
		return dir
	}
	if dir := installed(); dir != "" {
		return dir
	}
	lacks(t, "PostgreSQL is not installed (initdb and postgres, in the PATH or where packages put them); "+
		"to have it: apt-get install postgresql")
	return ""
}

// pgBouncer is the program of PgBouncer: the chosen one, or the one in the PATH or where packages put it.
func pgBouncer(t testing.TB) string {
	t.Helper()
	if chosen := os.Getenv(chosenPgBouncer); chosen != "" {
		program, err := exec.LookPath(chosen)
		if err != nil {
			t.Fatalf("%s: %v", chosenPgBouncer, err)
		}
		return program
	}
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	lacks(t, "PgBouncer is not installed; to have it: apt-get install pgbouncer")
	return ""
}

// lacks skips a test for which something is missing on this machine, or fails it where nothing may be skipped.
func lacks(t testing.TB, sentence string) {
	t.Helper()
	if os.Getenv("HOLDFAST_TEST_REQUIRE") != "" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
}

func installed() string {
	newest := ""
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", // Debian, Red Hat
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", // macOS
		"/usr/local/pgsql/bin", // from source
	} {
		dirs, _ := filepath.Glob(pattern)
		for _, dir := range dirs {
			if complete(dir) && version(dir) >= version(newest) {
				newest = dir
			}
		}
	}
	if newest != "" {
		return newest
	}
	if program, err := exec.LookPath("initdb"); err == nil && complete(filepath.Dir(program)) {
		return filepath.Dir(program)
	}
	return ""
}

func complete(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil { //nolint:gosec // of who runs the test
			return false
		}
	}
	return true
}

// version is the number in the name of a directory, or 0.
func version(dir string) int {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, dir)
	n, _ := strconv.Atoi(digits)
	return n
}
