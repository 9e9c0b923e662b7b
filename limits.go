package holdfast

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The limits of what an app writes. Sizes are in bytes of the encoded form: JSON as
// encoding/json writes it, without white space between tokens and with <, >, &, U+2028 and
// U+2029 as six-byte escapes. That is the size in which a value travels inside of another
// message, so what is within its limit fits wherever the machinery has to send it.
const (
	// MaxArgument bounds the argument of a task or event that a section or task asks for, and
	// the input of a section that a task runs.
	MaxArgument = 512 << 10
	// MaxResult bounds the result of a section or task.
	MaxResult = 512 << 10
	// MaxMessage bounds the data of one message to the page.
	MaxMessage = 256 << 10
	// MaxState bounds one state of a session, and what the client sees of it.
	MaxState = 8 << 20
	// MaxDepth is how many arrays and objects may stand one within the other in any JSON text
	// that is stored: a state, its view, an argument, a result, a message.
	MaxDepth = 64
)

var (
	// ErrTooLarge reports a value over its limit in bytes, such as [MaxArgument]. The error
	// that wraps it names the value, its size and the limit.
	ErrTooLarge = errors.New("too large")
	// ErrTooDeep reports JSON that is nested deeper than [MaxDepth].
	ErrTooDeep = errors.New("nested too deep")
)

// CheckSize returns an error that wraps [ErrTooLarge] if the JSON text takes more than limit
// bytes in its encoded form. What names the value in the error.
func CheckSize(what string, raw json.RawMessage, limit int) error {
	if size := EncodedSize(raw); size > limit {
		return fmt.Errorf("%s is %w: %d bytes of JSON, and the limit is %d", what, ErrTooLarge, size, limit)
	}
	return nil
}

// CheckDepth returns an error that wraps [ErrTooDeep] if arrays and objects of the JSON text
// are nested deeper than [MaxDepth]. It takes linear time and constant space, and does not
// check that the text is valid JSON otherwise.
func CheckDepth(raw json.RawMessage) error {
	depth := 0
	for i, inString := 0, false; i < len(raw); i++ {
		c := raw[i]
		switch {
		case inString && c == '\\':
			i++ // the next character is escaped, also if it is a quote
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return fmt.Errorf("JSON is %w: more than %d arrays and objects within each other", ErrTooDeep, MaxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// EncodedSize is the length of the JSON text as encoding/json writes it when the text is
// embedded in another value. The text must be valid JSON. It takes linear time and no space.
func EncodedSize(raw json.RawMessage) int {
	const escape = len(`\u003c`)
	size, inString := 0, false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case !inString && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
		case inString && (c == '<' || c == '>' || c == '&'):
			size += escape
		case c == 0xE2 && isLineSeparator(raw[i:]):
			size += escape
			i += len("\u2028") - 1
		case inString && c == '\\' && i+1 < len(raw):
			size += 2
			i++
		case c == '"':
			size++
			inString = !inString
		default:
			size++
		}
	}
	return size
}

// isLineSeparator reports U+2028 or U+2029 at the beginning of the text.
func isLineSeparator(text []byte) bool {
	return len(text) > 2 && text[1] == 0x80 && text[2]&^1 == 0xA8
}

// CheckValue returns the error of [CheckSize] or of [CheckDepth], if there is one. What names
// the value in the error.
func CheckValue(what string, raw json.RawMessage, limit int) error {
	if err := CheckSize(what, raw, limit); err != nil {
		return err
	}
	if err := CheckDepth(raw); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
