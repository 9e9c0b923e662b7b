package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/holdfast-run/holdfast"
	"github.com/holdfast-run/holdfast/state"
)

var errReply = errors.New("the server answered something that is no answer to this")

// text is a string of a reply; empty for none.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// list is an array of a reply; empty for none.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// number is an integer of a reply, which may have come as text.
func number(v any) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read a number: %w", err)
		}
		return n, nil
	default:
		return 0, errReply
	}
}

// record reads a session from the fields of its record and its documents. Without fields there is no session.
func record(session holdfast.SessionID, fields, documents []any) (*state.Record, error) {
	r := &state.Record{Session: session}
	if len(fields) != 6 {
		return nil, errReply
	}
	if fields[0] == nil {
		return r, nil
	}
	r.Epoch = text(fields[0])
	for i, to := range []*int64{&r.Version, &r.Revision, &r.LastMessage} {
		n, err := number(fields[i+1])
		if err != nil {
			return nil, err
		}
		*to = n
	}
	if err := errors.Join(decode(fields[4], &r.Tasks), decode(fields[5], &r.Deferred)); err != nil {
		return nil, fmt.Errorf("read the session's tasks: %w", err)
	}
	r.Documents = make(holdfast.Documents, len(documents)/2)
	for i := 0; i+1 < len(documents); i += 2 {
		r.Documents[text(documents[i])] = json.RawMessage(text(documents[i+1]))
	}
	return r, nil
}

// decode reads a JSON text; none leaves the value as it is.
func decode(v, to any) error {
	if v == nil {
		return nil
	}
	return json.Unmarshal([]byte(text(v)), to) //nolint:wrapcheck // wrapped by the caller, who knows what it was
}

// streamed is an entry of a stream: its fields, and the number before the dash of its id.
func streamed(v any) (n int64, fields map[string]string, err error) {
	entry := list(v)
	if len(entry) != 2 {
		return 0, nil, errReply
	}
	if n, err = streamNumber(text(entry[0])); err != nil {
		return 0, nil, err
	}
	fields = map[string]string{}
	pairs := list(entry[1])
	for i := 0; i+1 < len(pairs); i += 2 {
		fields[text(pairs[i])] = text(pairs[i+1])
	}
	return n, fields, nil
}
