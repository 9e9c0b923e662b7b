// Package exact is an app that notices what is applied twice, out of order, not at all, or after
// the end: its state counts what happened to each event, loop turn and task. It is for tests that
// pause and cut off the processes that run it.
package exact

import "github.com/holdfast-run/holdfast"

// State is what a session knows. It stays small: of what is in order it has only the number.
type State struct {
	// Events are those that pages sent, by page load.
	Events map[string]*Series `json:"events"`
	// Loops are the turns of tasks and the links of chains, by what they are called.
	Loops map[string]*Series `json:"loops"`
	// Ended counts the Finally sections of tasks, by the name of the loop.
	Ended map[string]int `json:"ended"`
	// Stop has the loops that are to end.
	Stop map[string]bool `json:"stop"`
}

// Series is what is known of calls that are numbered from 1 and have to come in order.
type Series struct {
	// Highest is the highest number so far, Applied how many calls were applied.
	Highest int64 `json:"highest"`
	Applied int64 `json:"applied"`
	// Again are the numbers that were not above Highest, Skipped those that were left out before
	// one that was; Late are those after the end of their task. At most a hundred of each are kept.
	Again   []int64 `json:"again,omitempty"`
	Skipped []int64 `json:"skipped,omitempty"`
	Late    []int64 `json:"late,omitempty"`
}

// App lists what it is made of.
func App() *holdfast.App {
	app := holdfast.NewApp("exact", State{
		Events: map[string]*Series{}, Loops: map[string]*Series{}, Ended: map[string]int{}, Stop: map[string]bool{},
	})
	app.Events(Note, NoteAtGate, Begin, End, Link, LinkAtGate, Burst)
	app.Sections(turnInline, turnRegular, turnBound, passGate, turnGuarded, endInline, endRegular, endBound, endGuarded)
	app.Tasks(
		holdfast.With(Inline, holdfast.TaskOptions{Inline: true, OnDisconnect: holdfast.ContinueOnDisconnect}),
		holdfast.With(Regular, holdfast.TaskOptions{OnDisconnect: holdfast.ContinueOnDisconnect}),
		holdfast.With(Guarded, holdfast.TaskOptions{OnDisconnect: holdfast.ContinueOnDisconnect}),
		Bound,
	)
	return app
}

// apply notes that call n of the series was applied.
func (s *State) apply(of map[string]*Series, name string, n int64) {
	const keep = 100
	series := of[name]
	if series == nil {
		series = &Series{}
		of[name] = series
	}
	series.Applied++
	if s.Ended[name] > 0 && len(series.Late) < keep {
		series.Late = append(series.Late, n)
	}
	if n <= series.Highest {
		if len(series.Again) < keep {
			series.Again = append(series.Again, n)
		}
		return
	}
	for left := series.Highest + 1; left < n && len(series.Skipped) < keep; left++ {
		series.Skipped = append(series.Skipped, left)
	}
	series.Highest = n
}
