package state

import (
	"encoding/json"

	"github.com/holdfast-run/holdfast"
)

// MaxDepth is how many arrays and objects may stand one within the other in any JSON text that
// the service stores; see [holdfast.MaxDepth].
const MaxDepth = holdfast.MaxDepth

// CheckDepth returns an error that wraps [holdfast.ErrTooDeep] if the JSON text is nested deeper
// than [MaxDepth]. It takes linear time and constant space, so it may be called with what a
// client sent, before anything decodes it.
func CheckDepth(raw json.RawMessage) error { return holdfast.CheckDepth(raw) }
