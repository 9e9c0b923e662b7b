// Temporal and its Web UI alone, with what Holdfast's tasks need in it: for trying workers and starters as processes of their own, without
// a cluster. They find it where they look for Temporal anyway.
//
//	go run ./dev/temporal
//	go run ./cmd/holdfast worker
//	go run ./cmd/holdfast starter
package main

import "github.com/holdfast-run/holdfast/dev/allinone"

func main() { allinone.Main() }
