package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Key names one call for good, over all its repetitions.
type Key struct {
	// Owner groups the keys of one caller: the task's id, or the load of a page.
	Owner string
	// Chain tells apart two lives of the same owner: the first run id of the task's chain of runs. May be empty.
	Chain string
	// Position is the call's place within the owner, such as "3" or, in a loop, "2.17".
	Position string
	// Fingerprint is derived from the section's name and input, so that another section in the same place is no repeat.
	// Empty when the position alone decides, as it does for a browser's events.
	Fingerprint string
	// Keep is how many keys of the owner the ledger keeps at least.
	Keep int64
}

// Fingerprint derives the fingerprint of a section's name and input.
func Fingerprint(name string, input json.RawMessage) string {
	sum := sha256.Sum256(append([]byte(name+"\x00"), input...))
	return hex.EncodeToString(sum[:12])
}

// String is the key's form in the ledger; empty for the zero Key, whose call is not recorded.
func (k Key) String() string {
	if k.Owner == "" {
		return ""
	}
	return strings.Join([]string{k.Owner, k.Chain, k.Position, k.Fingerprint}, "\x1f")
}
