package layout

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
)

// requireSwitch is the variable under which nothing may be skipped.
const requireSwitch = "HOLDFAST_TEST_REQUIRE"

// file is one parsed source file, and the problems found in it.
type file struct {
	path     string // relative to the root, with slashes
	fset     *token.FileSet
	syntax   *ast.File
	problems []string
}

// checkFile returns what is wrong with the file of that path, relative to the root, each as one sentence.
func checkFile(name, source string) []string {
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	f := &file{path: name, fset: fset, syntax: syntax}
	f.checkNames()
	f.checkFunctions()
	if r, ok := lookup(path.Dir(name)); !ok {
		f.reportf(syntax.Package, "package %s is not in the table of internal/layout/table_test.go: add it there with what it may import", path.Dir(name))
	} else if !f.isTest() {
		f.checkImports(r)
		f.checkGoroutines(r)
		f.checkVariables()
	}
	if f.isTest() || f.imports("testing") {
		f.checkSleeps()
	}
	return f.problems
}

func (f *file) reportf(pos token.Pos, format string, args ...any) {
	line := f.fset.Position(pos).Line
	f.problems = append(f.problems, fmt.Sprintf("%s:%d: %s", f.path, line, fmt.Sprintf(format, args...)))
}

func (f *file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f *file) imports(wanted string) bool {
	for _, spec := range f.syntax.Imports {
		if importPath(spec) == wanted {
			return true
		}
	}
	return false
}

func importPath(spec *ast.ImportSpec) string {
	unquoted, _ := strconv.Unquote(spec.Path.Value)
	return unquoted
}

// checkNames: a package is called by what it is about, not by what it is for.
func (f *file) checkNames() {
	switch name := strings.TrimSuffix(f.syntax.Name.Name, "_test"); name {
	case "util", "utils", "common", "helper", "helpers", "misc", "shared":
		f.reportf(f.syntax.Name.Pos(), "a package called %s says nothing about what is in it", name)
	}
}

// checkImports: the table, and no test code in what users link into their programs.
func (f *file) checkImports(r row) {
	for _, spec := range f.syntax.Imports {
		imported := importPath(spec)
		dir, ours := strings.CutPrefix(imported+"/", module+"/")
		dir = path.Clean(dir)
		standard := !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".")
		switch {
		case ours && !r.allows(dir):
			f.reportf(spec.Pos(), "package %s may not import %s", r.dir, dir)
		case !ours && !standard && r.standardOnly:
			f.reportf(spec.Pos(), "package %s imports only the standard library, not %s", r.dir, imported)
		case !r.testing && (imported == "testing" || strings.HasPrefix(imported, "github.com/stretchr/testify")):
			f.reportf(spec.Pos(), "%s belongs into _test.go files", imported)
		}
	}
}

func (f *file) checkGoroutines(r row) {
	if !r.noGoroutines {
		return
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		if statement, ok := n.(*ast.GoStmt); ok {
			f.reportf(statement.Pos(), "package %s starts no goroutine", r.dir)
		}
		return true
	})
}

// checkVariables: a variable of a package that begins empty, or as a lock or a container, is there to be changed.
func (f *file) checkVariables() {
	for _, decl := range f.syntax.Decls {
		vars, ok := decl.(*ast.GenDecl)
		if !ok || vars.Tok != token.VAR {
			continue
		}
		for _, spec := range vars.Specs {
			value, _ := spec.(*ast.ValueSpec)
			if mutable(value) && !embeds(vars.Doc) && !embeds(value.Doc) {
				f.reportf(value.Pos(), "the package variable %s is made to be changed; keep it in a value that its user holds", value.Names[0].Name)
			}
		}
	}
}

func mutable(spec *ast.ValueSpec) bool {
	if len(spec.Values) == 0 {
		return true
	}
	for _, value := range spec.Values {
		if call, ok := value.(*ast.CallExpr); ok && (named(call.Fun, "", "make") || named(call.Fun, "", "new")) {
			return true
		}
		if literal, ok := value.(*ast.CompositeLit); ok && (named(literal.Type, "sync", "") || named(literal.Type, "atomic", "")) {
			return true
		}
	}
	return false
}

// embeds reports a go:embed directive, which fills the variable at build time.
func embeds(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, comment := range doc.List {
		if strings.HasPrefix(comment.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// checkFunctions: no init, which nobody calls and nobody can leave out; no skip that an environment with everything
// installed could not turn into a failure.
func (f *file) checkFunctions() {
	for _, decl := range f.syntax.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if function.Name.Name == "init" && function.Recv == nil {
			f.reportf(function.Pos(), "no init functions: let the caller construct what it needs")
		}
		if f.imports("testing") && !mentions(function, requireSwitch) {
			f.checkSkips(function)
		}
	}
}

func (f *file) checkSkips(function *ast.FuncDecl) {
	ast.Inspect(function, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			switch selector.Sel.Name {
			case "Skip", "Skipf", "SkipNow":
				f.reportf(selector.Pos(), "only a function that looks at %s may skip a test, so that nothing is skipped unnoticed where all is installed", requireSwitch)
			}
		}
		return true
	})
}

func mentions(function *ast.FuncDecl, word string) (found bool) {
	ast.Inspect(function, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		found = found || ok && strings.Contains(literal.Value, word)
		return !found
	})
	return found
}

// checkSleeps: a test waits for what it waits for. In a synctest bubble sleeping takes no time and is exact.
func (f *file) checkSleeps() {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if ok && named(call.Fun, "time", "Sleep") {
			f.reportf(call.Pos(), "no time.Sleep in a test outside synctest.Test: wait for the event itself")
		}
		return !ok || !named(call.Fun, "synctest", "Test")
	})
}

// named reports whether the expression is pkg.name, or anything of pkg when name is empty; without pkg, the bare name.
func named(e ast.Expr, pkg, name string) bool {
	if id, ok := e.(*ast.Ident); ok {
		return pkg == "" && id.Name == name
	}
	selector, ok := e.(*ast.SelectorExpr)
	if !ok || pkg == "" || name != "" && selector.Sel.Name != name {
		return false
	}
	id, ok := selector.X.(*ast.Ident)
	return ok && id.Name == pkg
}
