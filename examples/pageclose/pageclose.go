// Package pageclose is the second example of the original's documentation: a loop that begins when the page is opened, and ends
// when it is closed. There the loop looks at a private table of the server to find that out; here it need not look.
package pageclose

import (
	"embed"
	"fmt"
	"io/fs"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/workflows"
)

// State is what a session holds.
type State struct {
	Printed int `json:"printed"` // lines
}

//go:embed page
var page embed.FS

// App lists what the example is made of.
func App() *holdfast.App {
	app := holdfast.NewApp("pageclose", State{})
	app.OnLoad(Load)
	app.Sections(printLine, printLast)
	// A reload within the grace period finds the loop running, and one is enough.
	app.Tasks(holdfast.With(Loop, holdfast.TaskOptions{Concurrency: holdfast.SkipIfRunning}))
	app.Page(must(fs.Sub(page, "page")))
	return app
}

// Load runs once for each load of the page, not when a page that is open reconnects.
func Load(tx *holdfast.Tx, _ *State) error {
	tx.Start(Loop)
	return nil
}

// Loop prints a line every two seconds. When no page of its session has been connected for ten seconds it is cancelled: Every
// returns, and printLast runs.
func Loop(ctx workflow.Context) error {
	workflows.Finally(ctx, printLast)
	return workflows.Every(ctx, 2*time.Second, printLine)
}

func printLine(_ *holdfast.Tx, s *State) (more bool, err error) {
	fmt.Println("Running background task...")
	s.Printed++
	return true, nil
}

func printLast(_ *holdfast.Tx, s *State) error {
	fmt.Println("The page was closed. Stopping background task.")
	s.Printed = 0
	return nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
