package layout

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVersions_AreThoseThatUsersGet compares what the workspace builds with what each module builds by itself. go.work selects the
// highest version that any module asks for; a program that requires a module gets the module's own selection. Where the two
// differ, the tests test other code than users run, and a user's first build compiles Temporal once more. `go work sync` mends it.
func TestVersions_AreThoseThatUsersGet(t *testing.T) {
	t.Parallel()
	root := findRoot(t)
	for _, module := range []string{".", "dev"} {
		dir := filepath.Join(root, module)
		workspace, alone := versions(t, dir, ""), versions(t, dir, "off")
		require.Greater(t, len(alone), 20, "too few modules to be true")
		for path, version := range workspace {
			if alone[path] != version {
				t.Errorf("%s: the workspace builds with %s %s, the module alone with %q", dir, path, version, alone[path])
			}
		}
	}
}

// versions maps the modules that a module's packages and tests are built from to their versions.
func versions(t *testing.T, dir, workspace string) map[string]string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-test",
		"-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "./...")
	list.Dir = dir
	list.Env = append(os.Environ(), "GOWORK="+workspace)
	list.Stderr = os.Stderr
	out, err := list.Output()
	require.NoError(t, err, "list the dependencies of %s", dir)
	found := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path != "" && !strings.HasPrefix(path, "github.com/holdfast-run/holdfast") {
			found[path] = version
		}
	}
	return found
}
