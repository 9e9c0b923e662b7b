// The apps of the end-to-end tests, and the examples, with workers and starters as processes of their own.
package main

import (
	"github.com/holdfast-run/holdfast/cmd/command"
	"github.com/holdfast-run/holdfast/dev/e2e/exact"
	"github.com/holdfast-run/holdfast/dev/e2e/fast"
	"github.com/holdfast-run/holdfast/dev/e2e/reflex"
	"github.com/holdfast-run/holdfast/examples/counter"
	"github.com/holdfast-run/holdfast/examples/pageclose"
	"github.com/holdfast-run/holdfast/examples/report"
)

func main() {
	command.Main("parts", exact.App(), fast.App(), reflex.App("reflex", false), reflex.App("inline", true), counter.App(), pageclose.App(), report.App())
}
