package holdfast

import (
	"fmt"
	"go/token"
	"reflect"
	"regexp"
	"runtime"
	"strings"
)

var (
	literal = regexp.MustCompile(`^func\d+$`)
	appName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
)

// Named registers fn under a name of one's own instead of its Go name, so that the function can be renamed while tasks
// that remember the old name still run. It goes where the function would go, as in app.Tasks(holdfast.Named("MyTask", fn)).
// The function is still referred to by value: tx.Start(fn).
func Named(name string, fn any) any {
	return named{name: name, fn: fn}
}

type named struct {
	name string
	fn   any
}

// identity tells registered functions apart: the entry address of their code.
func identity(fn any) uintptr {
	return reflect.ValueOf(fn).Pointer()
}

// nameOf returns the registered function and the name it goes by, or says why it cannot have one.
func nameOf(arg any) (name string, fn any, err error) {
	if n, ok := arg.(named); ok {
		if !token.IsIdentifier(n.name) {
			return "", nil, fmt.Errorf("the name %q is not a Go identifier", n.name)
		}
		return n.name, n.fn, checkFunc(n.fn)
	}
	if err := checkFunc(arg); err != nil {
		return "", nil, err
	}
	name = funcName(arg)
	if literal.MatchString(name) || !token.IsIdentifier(name) {
		return "", nil, fmt.Errorf("%s has no lasting name: register it with holdfast.Named", name)
	}
	return name, arg, nil
}

func checkFunc(fn any) error {
	v := reflect.ValueOf(fn)
	if v.Kind() != reflect.Func {
		return fmt.Errorf("expected a function, got %T", fn)
	}
	if v.IsNil() {
		return fmt.Errorf("expected a function, got a nil %T", fn)
	}
	return nil
}

// funcName is the last part of the function's Go name: "step" of "example.org/app/counter.step", and of the method
// value "counter.(*App).step-fm".
func funcName(fn any) string {
	full := runtime.FuncForPC(identity(fn)).Name()
	full = strings.TrimSuffix(full, "-fm")
	return full[strings.LastIndexByte(full, '.')+1:]
}
