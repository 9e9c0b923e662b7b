package postgrestest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// programs is the directory with the programs of the newest PostgreSQL that is installed.
func programs(t testing.TB) string {
	t.Helper()
	if dir := installed(); dir != "" {
		return dir
	}
	const sentence = "PostgreSQL is not installed (initdb and postgres, in the PATH or where packages put them); " +
		"to have it: apt-get install postgresql"
	if os.Getenv("HOLDFAST_TEST_REQUIRE") != "" {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
	return ""
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
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
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
