package layout

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTree holds the whole tree, both modules, to the rules.
func TestTree(t *testing.T) {
	t.Parallel()
	root := findRoot(t)
	var problems []string
	checked := 0
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && ignored(entry.Name()) && name != root {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		source, err := os.ReadFile(name)
		checked++
		problems = append(problems, checkFile(filepath.ToSlash(relative), string(source))...)
		return err
	})
	require.NoError(t, err)
	require.Greater(t, checked, 20, "the walk from %s found too few files to be true", root)
	for _, problem := range problems {
		t.Error(problem)
	}
}

// ignored reports the directories that the go command passes over as well.
func ignored(dir string) bool {
	return strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_") || dir == "testdata" || dir == "vendor" || dir == "node_modules"
}

// findRoot walks up to the directory of the root module.
func findRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the working directory")
		dir = parent
	}
}

// TestRulesCanFail proves of each rule that it finds what it is there for, and lets pass what it must.
func TestRulesCanFail(t *testing.T) {
	t.Parallel()
	const ours = `"github.com/holdfast-run/holdfast`
	for _, c := range []struct {
		path, source string
		want         string // part of the one problem; empty: none
	}{
		{"tx.go", `package holdfast; import "fmt"`, ""},
		{"tx.go", `package holdfast; import _ "golang.org/x/sync/errgroup"`, "tx.go:1: package . imports only the standard library"},
		{"tx.go", `package holdfast; import _ ` + ours + `/state"`, "package . may not import state"},
		{"tx.go", `package holdfast; func f() { func() { go f() }() }`, "package . starts no goroutine"},
		{"tx_test.go", `package holdfast_test; import _ ` + ours + `/state"; func f() { go f() }`, ""},
		{"config/a.go", `package config; import _ ` + ours + `"`, "package config may not import ."},
		{"config/a.go", `package config; import _ "github.com/spf13/viper"; func f() { go f() }`, ""},
		{"state/a.go", `package state; import _ ` + ours + `"`, ""},
		{"state/a.go", `package state; import _ ` + ours + `/internal/wire"`, "package state may not import internal/wire"},
		{"state/sqlite/a.go", `package sqlite; import _ ` + ours + `/state/memory"`, "may not import state/memory"},
		{"state/statetest/a.go", `package statetest; import _ "testing"; import _ ` + ours + `/state"`, ""},
		{"state/memory/a.go", `package memory; import _ "github.com/stretchr/testify/require"`, "testify/require belongs into _test.go files"},
		{"workflows/a.go", `package workflows; import _ ` + ours + `/activities"`, "package workflows may not import activities"},
		{"workflows/a.go", `package workflows; import _ ` + ours + `/state"`, "package workflows may not import state"},
		{"activities/a.go", `package activities; import _ ` + ours + `/workflows"`, "may not import workflows"},
		{"starter/a.go", `package starter; import _ ` + ours + `/config"`, "package starter may not import config"},
		{"internal/wire/a.go", `package wire; import _ ` + ours + `"`, "package internal/wire may not import ."},
		{"examples/counter/a.go", `package counter; import _ ` + ours + `/workflows"`, ""},
		{"examples/counter/cmd/a.go", `package main; import _ ` + ours + `/internal/wire"`, "may not import internal/wire"},
		{"examples/counter/a.go", `package counter; import _ ` + ours + `/dev/allinone"`, "may not import dev/allinone"},
		{"cmd/holdfast/a.go", `package main; import _ ` + ours + `/internal/wire"`, ""},
		{"cmd/holdfast/a.go", `package main; import _ ` + ours + `/dev/embedded"`, "may not import dev/embedded"},
		{"dev/allinone/a.go", `package allinone; import _ ` + ours + `/internal/wire"; import _ ` + ours + `/dev/embedded"`, ""},
		{"developer/a.go", `package developer`, "package developer is not in the table of internal/layout/table_test.go: add it"},
		{"state/mysql/a_test.go", `package mysql`, "package state/mysql is not in the table"},
		{"dev/util/a.go", `package util`, "a package called util says nothing"},
		{"dev/x/a_test.go", `package helpers_test`, "a package called helpers says nothing"},

		{"dev/a.go", "package main\nfunc init() {}", "a.go:2: no init functions"},
		{"dev/a_test.go", "package main\nfunc init() {}", "no init functions"},
		{"dev/a.go", `package main; type T struct{}; func (T) init() {}`, ""},
		{"dev/a.go", `package main; var n int`, "the package variable n is made to be changed"},
		{"dev/a.go", `package main; import "sync"; var mu = sync.Mutex{}`, "the package variable mu"},
		{"dev/a.go", `package main; var cache = make(map[string]int)`, "the package variable cache"},
		{"dev/a.go", "package main\nimport _ \"embed\"\n//go:embed page.html\nvar page string", ""},
		{"dev/a.go", "package main\nimport _ \"embed\"\nvar (\n//go:embed page.html\npage string\n)", ""},
		{"dev/a.go", `package main; import "errors"; var errX = errors.New("x"); var _ error = errX`, ""},
		{"dev/a_test.go", `package main; var n int`, ""},

		{"dev/a.go", `package main; import "time"; func f() { time.Sleep(1) }`, ""},
		{"dev/a_test.go", `package main; import "time"; func f() { time.Sleep(1) }`, "no time.Sleep in a test"},
		{"state/statetest/a.go", `package statetest; import ("testing"; "time"); func f(*testing.T) { time.Sleep(1) }`, "no time.Sleep in a test"},
		{"dev/a_test.go", `package main; func f() { synctest.Test(t, func(t *testing.T) { time.Sleep(1) }) }`, ""},
		{"dev/a_test.go", `package main; import "testing"; func TestX(t *testing.T) { t.Skip("later") }`, "only a function that looks at HOLDFAST_TEST_REQUIRE may skip"},
		{"dev/a_test.go", `package main; import "testing"; func TestX(tb testing.TB) { func() { tb.Skipf("") }() }`, "may skip a test"},
		{"dev/a_test.go", `package main; import ("os"; "testing"); func need(t *testing.T) { if os.Getenv("HOLDFAST_TEST_REQUIRE") == "" { t.Skip() } }`, ""},
		{"dev/a.go", `package`, "dev/a.go:1"},
	} {
		problems := checkFile(c.path, c.source)
		if c.want == "" {
			require.Empty(t, problems, c.source)
			continue
		}
		require.Len(t, problems, 1, "%s: %s", c.path, c.source)
		require.Contains(t, problems[0], c.want)
	}
}

// TestTableIsUnambiguous: the first row that fits decides, so none may hide a later one.
func TestTableIsUnambiguous(t *testing.T) {
	t.Parallel()
	for _, r := range table() {
		dir := strings.TrimSuffix(r.dir, "/**")
		first, ok := lookup(dir)
		require.True(t, ok)
		require.Equal(t, r.dir, first.dir)
	}
}
