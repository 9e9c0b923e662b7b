package starter

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Bounds in bytes of what a client has sent and an answer repeats.
const (
	maxEcho   = 80   // of one value, quoted
	maxReason = 120  // of the reason in a close frame, which has room for 123
	maxAnswer = 1024 // of the message of a refusal, which may be the sentence of an app's author
)

// truncate returns at most limit bytes of the text, whole runes, with an ellipsis in place of the rest. It takes time for what
// it returns, not for what it is given. The limit must have room for the ellipsis.
func truncate(text string, limit int) string {
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

// quoted is a value as an error message repeats it: quoted, on one line and bounded.
func quoted(value string) string {
	return truncate(strconv.Quote(truncate(value, maxEcho)), maxEcho)
}

// quotedAll are the first few of a list of values.
func quotedAll(values []string) string {
	const limit = 4
	text := ""
	for i, value := range values {
		switch {
		case i == limit:
			return fmt.Sprintf("[%s and %d more]", text, len(values)-limit)
		case i > 0:
			text += " "
		}
		text += quoted(value)
	}
	return "[" + text + "]"
}
