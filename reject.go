package holdfast

import (
	"fmt"
	"strings"
)

// maxSentence bounds the sentence of a [Rejection], in bytes.
const maxSentence = 500

// Rejection is an error for people: its sentence reaches the page, where it is the answer
// to the event or what the list of tasks shows. Any other error that an event, section,
// activity or task returns may hold what no outsider should read, such as the address
// of a database: the page shows "<name> failed (<id>)", and the log and [App.OnError]
// get the whole under the same id. [Reject] makes one. It does not change and is safe for
// concurrent use.
type Rejection struct {
	sentence string
	err      error
}

// Reject returns a [*Rejection] with the sentence that fmt.Errorf makes of its arguments,
// cut off at 500 bytes. An empty sentence becomes "rejected".
//
// A Rejection is found also when it is wrapped, as by fmt.Errorf with %w, and the page
// gets its sentence alone. What it wraps itself is part of the sentence. A repeat would
// only bring it again, so nothing is retried because of it.
func Reject(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	sentence := shortenTo(strings.ToValidUTF8(err.Error(), "�"), maxSentence)
	if strings.TrimSpace(sentence) == "" {
		sentence = "rejected"
	}
	return &Rejection{sentence: sentence, err: err}
}

// Error is the sentence.
func (r *Rejection) Error() string { return r.sentence }

// Unwrap returns what the sentence was made of, so that errors.Is sees what was given to
// %w.
func (r *Rejection) Unwrap() error { return r.err }
