package deploy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	dynamicConfigFile = "deploy/temporal/dynamicconfig.yaml"
	embeddedFile      = "dev/embedded/config.go"
)

// settings are the names in a file of what dev/embedded calls by the server's Go names, which this module cannot import.
func settings() map[string]string {
	return map[string]string{
		"TimerProcessorMaxTimeShift":                   "history.timerProcessorMaxTimeShift",
		"TimerProcessorMaxPollRPS":                     "history.timerProcessorMaxPollRPS",
		"TransferProcessorMaxPollRPS":                  "history.transferProcessorMaxPollRPS",
		"VisibilityProcessorMaxPollRPS":                "history.visibilityProcessorMaxPollRPS",
		"MatchingNumTaskqueueReadPartitions":           "matching.numTaskqueueReadPartitions",
		"MatchingNumTaskqueueWritePartitions":          "matching.numTaskqueueWritePartitions",
		"FrontendMaxNamespaceVisibilityRPSPerInstance": "frontend.namespaceRPS.visibility",
		"EnableServerVersionCheck":                     "frontend.enableServerVersionCheck",
	}
}

// dynamicConfig: a server in a container is tuned as the embedded one, which is the one that is tested and measured.
func dynamicConfig(d *deployment) (found []string) {
	var file map[string][]struct {
		Value       any
		Constraints map[string]any
	}
	if err := yaml.Unmarshal([]byte(d.read(dynamicConfigFile)), &file); err != nil {
		return []string{err.Error()}
	}
	for name, want := range embedded(d) {
		key, known := settings()[name]
		values := file[key]
		switch {
		case !known:
			found = append(found, name+": this test does not know its name in a file")
		case len(values) != 1:
			found = append(found, key+" is missing")
		case fmt.Sprint(values[0].Value) != want:
			found = append(found, fmt.Sprintf("%s is %v, and %s in %s", key, values[0].Value, want, embeddedFile))
		}
		delete(file, key)
	}
	for key := range file {
		found = append(found, key+" is not in "+embeddedFile)
	}
	return found
}

// embedded is what dev/embedded sets: the values of the one literal whose keys are calls of Key.
func embedded(d *deployment) map[string]string {
	parsed, err := parser.ParseFile(token.NewFileSet(), embeddedFile, d.read(embeddedFile), 0)
	if err != nil {
		d.t.Fatal(err)
	}
	constants, values := map[string]string{}, map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if len(n.Names) == 1 && len(n.Values) == 1 {
				constants[n.Names[0].Name] = literal(n.Values[0], nil)
			}
		case *ast.KeyValueExpr:
			if name := setting(n.Key); name != "" {
				values[name] = literal(n.Value, constants)
			}
		}
		return true
	})
	return values
}

// setting is Name in dynamicconfig.Name.Key(), or nothing.
func setting(e ast.Expr) string {
	call, _ := e.(*ast.CallExpr)
	if call == nil {
		return ""
	}
	method, _ := call.Fun.(*ast.SelectorExpr)
	if method == nil || method.Sel.Name != "Key" {
		return ""
	}
	name, _ := method.X.(*ast.SelectorExpr)
	if name == nil {
		return ""
	}
	return name.Sel.Name
}

// literal is the value of a literal or of a constant's name.
func literal(e ast.Expr, constants map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strings.Trim(e.Value, `"`)
	case *ast.Ident:
		if value, ok := constants[e.Name]; ok {
			return value
		}
		return e.Name // true, false
	}
	return ""
}
