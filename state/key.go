package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
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
	// Seq is the call's number within its owner, in the order in which the owner makes calls, from 1 over its whole
	// life; 0: unnumbered. The calls of a page are known by it alone.
	Seq int64
	// Forget says that the owner never asks again for a call up to this number: once this call is applied the ledger
	// forgets those, and one that is asked for all the same is refused with [ErrForgotten].
	Forget int64
}

// pagePrefix begins the names of those owners that are loads of a page.
const pagePrefix = "page-"

// PageKey is the key of an event, or a cancel, of a page: client names the load of the page, id is the event's number
// within it, from 1.
func PageKey(client string, id int64) Key {
	return Key{Owner: pagePrefix + client, Position: strconv.FormatInt(id, 10), Seq: id}
}

// LoadKey is the key of an event that runs once for each load of a page.
func LoadKey(client, event string) Key { return Key{Owner: pagePrefix + client, Position: event} }

// ofPage reports a key of a page, whose calls have no entries in the ledger: the page's mark knows them.
func (k Key) ofPage() bool { return strings.HasPrefix(k.Owner, pagePrefix) }

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

// entry is the key's form in the ledger, if its call has an entry there.
func (k Key) entry() string {
	if k.ofPage() {
		return ""
	}
	return k.String()
}
