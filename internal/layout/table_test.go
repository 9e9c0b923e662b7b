package layout

import "strings"

// module is the import path of the root.
const module = "github.com/holdfast-run/holdfast"

// row is what one package, or a tree of packages ("examples/**"), may import of ours. "." is the root.
type row struct {
	dir string
	may []string
	// standardOnly: of what is not ours, only the standard library.
	standardOnly bool
	// noGoroutines: no go statement.
	noGoroutines bool
	// testing: its purpose is testing, so it may import package testing outside of _test.go files.
	testing bool
}

// table is the house. What it does not list may not exist, and what a row does not list may not be imported; tests may
// import what they like.
func table() []row {
	return []row{
		{dir: ".", standardOnly: true, noGoroutines: true},
		{dir: "config"},
		{dir: "codec"},
		{dir: "state", may: []string{".", "internal/telemetry"}},
		{dir: "state/memory", may: []string{".", "state"}},
		{dir: "state/sqlite", may: []string{".", "state"}},
		{dir: "state/postgres", may: []string{".", "state"}},
		{dir: "state/postgres/postgrestest", testing: true},
		{dir: "state/redis", may: []string{".", "state"}},
		{dir: "state/redis/redistest", testing: true},
		{dir: "state/statetest", may: []string{".", "state"}, testing: true},
		{dir: "activities", may: []string{".", "state", "internal/wire"}},
		{dir: "workflows", may: []string{".", "internal/wire"}}, // deterministic: never state, never activities
		{dir: "worker", may: []string{".", "state", "activities", "workflows", "internal/wire"}},
		{dir: "starter", may: []string{".", "state", "internal/wire", "internal/telemetry"}},
		{dir: "internal/wire"},
		{dir: "internal/telemetry"},
		{dir: "internal/layout"},
		{dir: "internal/deploy", may: []string{"config"}},         // tests alone
		{dir: "internal/golden", may: []string{".", "workflows"}}, // an app, for tests
		{dir: "examples/**", may: []string{"public"}},
		{dir: "cmd/**", may: []string{"**"}},
		{dir: "dev/internal/processes", may: []string{"**"}, testing: true}, // before dev/**, the first row counts,
		{dir: "dev/**", may: []string{"**", "dev/**"}},
	}
}

// lookup returns the row of a directory.
func lookup(dir string) (row, bool) {
	for _, r := range table() {
		if within(dir, r.dir) {
			return r, true
		}
	}
	return row{}, false
}

// allows reports whether the row lets its package import the package of ours in dir.
func (r row) allows(dir string) bool {
	for _, pattern := range r.may {
		switch {
		case pattern == "public" && isPublic(dir), pattern == "**" && !within(dir, "dev/**"), within(dir, pattern):
			return true
		}
	}
	return false
}

// within reports whether dir is the pattern or, when the pattern ends in "/**", is or lies below what stands before.
func within(dir, pattern string) bool {
	base, isTree := strings.CutSuffix(pattern, "/**")
	return dir == base || isTree && strings.HasPrefix(dir, base+"/")
}

// isPublic reports a package that an author of an app can import: an example must work outside this repository.
func isPublic(dir string) bool {
	for _, hidden := range []string{"internal/**", "dev/**", "cmd/**", "state/statetest", "state/redis/redistest"} {
		if within(dir, hidden) {
			return false
		}
	}
	return true
}
