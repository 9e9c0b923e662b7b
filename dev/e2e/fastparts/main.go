// The fast counter's workers and starters as processes of their own.
package main

import (
	"github.com/holdfast-run/holdfast/cmd/command"
	"github.com/holdfast-run/holdfast/dev/e2e/fast"
)

func main() { command.Main("fastparts", fast.App()) }
