package wire

// The search attributes of every task's workflow, all of type Keyword, by which people find it.
const (
	// SearchPrefix begins the names of all.
	SearchPrefix  = "Holdfast"
	SearchApp     = SearchPrefix + "App"     // the app's name
	SearchTask    = SearchPrefix + "Task"    // the task's name within the app
	SearchSession = SearchPrefix + "Session" // the one-way id of the session
)

// SearchAttributes are the names of all search attributes.
func SearchAttributes() []string { return []string{SearchApp, SearchTask, SearchSession} }
