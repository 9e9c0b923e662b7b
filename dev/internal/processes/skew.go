package processes

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// SkewSeconds is the variable that says how many seconds the clock of a process of [Programs.Skewed] is ahead, or,
// below 0, behind.
const SkewSeconds = "HOLDFAST_TEST_SKEW_SECONDS"

// Skewed returns the program that workers and starters are, with a clock that can be wrong: it is built with a
// package time whose Now adds [SkewSeconds]. Nothing of ours knows of it, and the monotonic clock is right. The first build
// compiles everything again, which takes a minute or two.
func (p *Programs) Skewed(t testing.TB) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(original) //nolint:gosec // of Go itself
	require.NoError(t, err)
	const imports, now, skewed = "import (\n", "sec, nsec, mono := runtimeNow()\n", `
var skew = readSkew()

func readSkew() (seconds int64) {
	text, _ := syscall.Getenv("` + SkewSeconds + `")
	for _, digit := range text {
		if '0' <= digit && digit <= '9' {
			seconds = 10*seconds + int64(digit-'0')
		}
	}
	if len(text) > 0 && text[0] == '-' {
		return -seconds
	}
	return seconds
}
`
	source := string(text)
	require.Equal(t, 1, strings.Count(source, now), "%s: expected Now to read the clock in one place", original)
	source = strings.Replace(source, now, now+"\tsec += skew\n", 1)
	source = strings.Replace(source, imports, imports+"\t\"syscall\"\n", 1) + skewed
	replaced := filepath.Join(p.dir, "time.go")
	require.NoError(t, os.WriteFile(replaced, []byte(source), 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replaced}})
	require.NoError(t, err)
	path := filepath.Join(p.dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, overlay, 0o600))
	return p.Path(t, partsProgram, "-overlay", path)
}
