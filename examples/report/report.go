// Package report is a long job with progress: it counts primes for about a minute, reports a hundred times a second how far it
// is, goes on where it was when its process was killed, goes on when the page is closed, and can be cancelled from the page.
package report

import (
	"embed"
	"io/fs"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/workflows"
)

// State is what a session holds.
type State struct {
	Building *Report  `json:"building,omitempty"` // the one that is being made
	Past     []Report `json:"past"`               // the newest first
}

// Report is one run of the job.
type Report struct {
	UpTo    int       `json:"up_to"`
	Through int       `json:"through"` // looked at so far
	Primes  int       `json:"primes"`  // among those
	Done    bool      `json:"done"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
}

const (
	most = 6_000_000 // a minute's work
	keep = 10        // past runs
)

//go:embed page
var page embed.FS

// App lists what the example is made of.
func App() *holdfast.App {
	app := holdfast.NewApp("report", State{Past: []Report{}})
	app.Events(Make)
	app.Sections(begin, progress, finish, file)
	app.Tasks(holdfast.With(Build, holdfast.TaskOptions{
		Concurrency:  holdfast.SkipIfRunning,        // one report at a time
		OnDisconnect: holdfast.ContinueOnDisconnect, // closing the page does not stop it
	}))
	app.Activities(CountPrimes)
	app.Page(must(fs.Sub(page, "page")))
	return app
}

// Make asks for a report.
func Make(tx *holdfast.Tx, _ *State, upTo int) error {
	if upTo < 1 || upTo > most {
		return holdfast.Reject("expected a number from 1 to %d, got %d", most, upTo)
	}
	tx.Start(Build, upTo)
	return nil
}

// Build makes a report. The work itself is an ordinary Temporal activity, outside of any lock.
func Build(ctx workflow.Context, upTo int) error {
	workflows.Finally(ctx, file) // also when cancelled
	if err := workflows.DoWith(ctx, begin, upTo); err != nil {
		return err
	}
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Hour,
		HeartbeatTimeout:    2 * time.Second, // how soon a killed worker is noticed
		WaitForCancellation: true,
	})
	result, err := workflows.Step[Position](ctx, CountPrimes, upTo)
	if err != nil {
		return err
	}
	return workflows.DoWith(ctx, finish, result)
}

func begin(_ *holdfast.Tx, s *State, upTo int) error {
	s.Building = &Report{UpTo: upTo, Began: time.Now()}
	return nil
}

// progress is reported by the activity. After a kill it may be told what it knows already, for the activity begins again at its
// last heartbeat.
func progress(_ *holdfast.Tx, s *State, at Position) error {
	if s.Building != nil && at.Through > s.Building.Through {
		s.Building.Through, s.Building.Primes = at.Through, at.Primes
	}
	return nil
}

func finish(_ *holdfast.Tx, s *State, result Position) error {
	s.Building.Through, s.Building.Primes, s.Building.Done = result.Through, result.Primes, true
	return nil
}

// file puts the report to the past runs, whatever became of it.
func file(_ *holdfast.Tx, s *State) error {
	if s.Building == nil {
		return nil
	}
	s.Building.Ended = time.Now()
	s.Past = append([]Report{*s.Building}, s.Past...)
	s.Past = s.Past[:min(len(s.Past), keep)]
	s.Building = nil
	return nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
