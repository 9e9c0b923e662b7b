// The production program of the examples: its workers and starters. A program for apps of one's own looks the same.
//
//	holdfast worker
//	holdfast starter
package main

import (
	"github.com/holdfast-run/holdfast/cmd/command"
	"github.com/holdfast-run/holdfast/examples/counter"
	"github.com/holdfast-run/holdfast/examples/pageclose"
	"github.com/holdfast-run/holdfast/examples/report"
)

func main() {
	command.Main("holdfast", counter.App(), pageclose.App(), report.App())
}
