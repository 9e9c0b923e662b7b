// The fast counter with everything in one process.
package main

import (
	"github.com/holdfast-run/holdfast/dev/allinone"
	"github.com/holdfast-run/holdfast/dev/e2e/fast"
)

func main() { allinone.Main(fast.App()) }
