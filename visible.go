package holdfast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// clientJSON is the form of an object in which it goes to the client. Members whose name begins with an underscore
// stay on the server, at whatever depth. Null members are left out, because in a merge patch (RFC 7396) null means
// "absent": a snapshot and a chain of patches must come to the same. Arrays are sent whole, so nulls in them stay.
func clientJSON(doc json.RawMessage) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.UseNumber() // an int64 keeps its digits
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("read the view: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected a JSON object as the view, got %s", doc)
	}
	prune(object, true)
	return json.Marshal(object)
}

// prune takes out of value what the client must not get; nulls only where a patch could address them.
func prune(value any, patchable bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			if strings.HasPrefix(name, "_") || (patchable && member == nil) {
				delete(v, name)
				continue
			}
			prune(member, patchable)
		}
	case []any:
		for _, element := range v {
			prune(element, false)
		}
	}
}
