// The development program: Temporal, its Web UI, the state, a worker, a starter and the examples in one process.
//
//	go run ./dev
package main

import (
	"github.com/holdfast-run/holdfast/dev/allinone"
	"github.com/holdfast-run/holdfast/examples/counter"
	"github.com/holdfast-run/holdfast/examples/pageclose"
	"github.com/holdfast-run/holdfast/examples/report"
)

func main() {
	allinone.Main(counter.App(), pageclose.App(), report.App())
}
