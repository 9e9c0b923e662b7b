package wire

// The search attributes of every task's workflow, all of type Keyword, by which people find it.
const (
	SearchApp     = "HoldfastApp"     // the app's name
	SearchTask    = "HoldfastTask"    // the task's name within the app
	SearchSession = "HoldfastSession" // the one-way id of the session
)

// SearchAttributes are the names of all search attributes.
func SearchAttributes() []string { return []string{SearchApp, SearchTask, SearchSession} }
