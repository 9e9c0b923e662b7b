package starter

import (
	"fmt"
	"strconv"

	"github.com/holdfast-run/holdfast/internal/wire"
)

// Bounds in bytes of what a client has sent and an answer repeats.
const (
	maxEcho   = 80   // of one value, quoted
	maxReason = 120  // of the reason in a close frame, which has room for 123
	maxAnswer = 1024 // of the message of a refusal, which may be the sentence of an app's author
)

// quoted is a value as an error message repeats it: quoted, on one line and bounded.
func quoted(value string) string {
	return wire.Bound(strconv.Quote(wire.Bound(value, maxEcho)), maxEcho)
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
