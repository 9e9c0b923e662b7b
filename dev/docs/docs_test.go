// Package docs checks the code that the documentation shows.
package docs_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pages are all pages of the repository, by their path from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		relative, _ := filepath.Rel(root, path)
		all[filepath.ToSlash(relative)] = string(text)
		return err
	}))
	require.Contains(t, all, "README.md")
	return all
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$") //nolint:gocritic // m has ^ begin a line

// TestTheCodeCompiles compiles each Go block of each page, which is therefore a whole program or package. The files exist for the
// compiler alone: it is told of them by an overlay.
func TestTheCodeCompiles(t *testing.T) {
	for page, text := range pages(t) {
		for i, block := range goBlock.FindAllStringSubmatch(text, -1) {
			t.Run(fmt.Sprint(page, " ", i+1), func(t *testing.T) {
				shown := filepath.Join(t.TempDir(), "main.go")
				require.NoError(t, os.WriteFile(shown, []byte(block[1]), 0o600))
				dir, err := filepath.Abs("shown")
				require.NoError(t, err)
				overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(dir, "main.go"): shown}})
				require.NoError(t, err)
				file := filepath.Join(t.TempDir(), "overlay.json")
				require.NoError(t, os.WriteFile(file, overlay, 0o600))
				out, err := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, "-o", os.DevNull, "./shown").CombinedOutput()
				require.NoError(t, err, string(out))
			})
		}
	}
}

var (
	link  = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|srcset)="([^":]+)"`)
	fence = regexp.MustCompile("(?ms)^```.*?^```$") //nolint:gocritic // m has ^ begin a line
)

// TestTheLinksLeadSomewhere follows each link to a file of the repository.
func TestTheLinksLeadSomewhere(t *testing.T) {
	for page, text := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			require.FileExists(t, filepath.Join("..", "..", filepath.Dir(page), match[1]+match[2]), "linked from %s", page)
		}
	}
}
