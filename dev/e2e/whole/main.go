// The apps of the end-to-end tests with everything in one process.
package main

import (
	"github.com/holdfast-run/holdfast/dev/allinone"
	"github.com/holdfast-run/holdfast/dev/e2e/fast"
	"github.com/holdfast-run/holdfast/dev/e2e/reflex"
)

func main() { allinone.Main(fast.App(), reflex.App("reflex", false), reflex.App("inline", true)) }
