package wire

import "unicode/utf8"

// The bounds in bytes of what a failure tells Temporal, which takes no message over 4
// MiB.
const (
	// MaxFailure bounds a sentence.
	MaxFailure = 4 << 10
	// MaxStack bounds the stack of a panic.
	MaxStack = 64 << 10
)

// Bound returns at most limit bytes of the text, whole runes, with an ellipsis in place
// of the rest. It takes time for what it returns, not for what it is given. The limit has
// room for the ellipsis.
func Bound(text string, limit int) string {
	const ellipsis = "…"
	if len(text) <= limit {
		return text
	}
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// FailureID is how a page, the log and app.OnError call the failure of a task's run.
func FailureID(run string) string {
	const length = 8
	return run[:min(length, len(run))]
}
