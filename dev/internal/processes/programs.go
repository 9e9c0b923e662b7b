// Package processes runs the programs of Holdfast as processes of their own, for end-to-end
// tests: a Temporal server, private databases, workers and starters, which a test kills,
// pauses and wakes.
package processes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The programs that a [Cluster] runs.
const (
	partsProgram    = "github.com/holdfast-run/holdfast/dev/e2e/parts"
	temporalProgram = "github.com/holdfast-run/holdfast/dev/temporal"
)

// Programs builds each program once for a test run. It is safe for concurrent use.
type Programs struct {
	mu    sync.Mutex // protects built
	dir   string
	built map[string]*program
}

// program is one that was built, or will be.
type program struct {
	mu   sync.Mutex // held while it is built
	path string
	done bool
}

// NewPrograms makes a directory for programs; Remove removes it.
func NewPrograms() (*Programs, error) {
	dir, err := os.MkdirTemp("", "holdfast-programs")
	if err != nil {
		return nil, fmt.Errorf("make a directory for programs: %w", err)
	}
	return &Programs{dir: dir, built: map[string]*program{}}, nil
}

// Remove removes what was built.
func (p *Programs) Remove() { _ = os.RemoveAll(p.dir) }

// Run runs the tests with programs that are removed after them, for a TestMain: use is called
// before the tests run. It returns the exit code.
func Run(m *testing.M, use func(*Programs)) int {
	programs, err := NewPrograms()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer programs.Remove()
	use(programs)
	return m.Run()
}

// Path returns the program of the package. The first call for a package, with its flags of go
// build, builds it.
func (p *Programs) Path(t testing.TB, pkg string, flags ...string) string {
	t.Helper()
	b := p.entry(strings.Join(append([]string{pkg}, flags...), " "))
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.done {
		args := append([]string{"build", "-o", b.path}, flags...)
		out, err := exec.CommandContext(t.Context(), "go", append(args, pkg)...).CombinedOutput() //nolint:gosec // a test's own
		require.NoError(t, err, string(out))
		b.done = true
	}
	return b.path
}

func (p *Programs) entry(key string) *program {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.built[key]
	if b == nil {
		b = &program{path: filepath.Join(p.dir, fmt.Sprintf("program%d", len(p.built)))}
		p.built[key] = b
	}
	return b
}
