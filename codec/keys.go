package codec

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
)

// keySize is the size of a key of AES-256, in bytes.
const keySize = 32

// idPattern is what a key's id may be. It is too short for a key in base64 or hexadecimal, so that of an entry written the
// wrong way round no error shows the key.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,20}$`)

// Keys are the keys that payloads are encrypted with, each under an id. The first encrypts, all decrypt. However they are
// formatted, logged or marshalled, also inside another value, the ids come out at most and never a key. The zero Keys has none.
//
// Keys do not change, and are safe for concurrent use.
type Keys struct {
	// A pointer, so that fmt, which reads an unexported field of another struct without asking the methods below, prints an
	// address and not what is there.
	set *keySet
}

type keySet struct {
	ids     []string
	plain   bool                   // nothing is encrypted
	ciphers map[string]cipher.AEAD // by id
}

// plainEntry stands in the place of the first key where nothing is to be encrypted.
const plainEntry = "plain"

// ParseKeys reads keys written as ID:BASE64[,ID:BASE64…], the one that encrypts first; space around an entry does not count. An
// id is 1 to 20 letters, digits, dots, hyphens and underscores, and occurs once; it is stored with each payload, in the clear. A
// key is 32 random bytes in standard base64, as "openssl rand -base64 32" prints them. With the word plain in front, as
// plain,ID:BASE64, all decrypt and none encrypts, for the time in which encryption is turned on or off.
//
// An error names the key that is wrong, by its id or its place, and what was expected. It shows nothing of a key.
func ParseKeys(text string) (Keys, error) {
	set := &keySet{ciphers: map[string]cipher.AEAD{}}
	entries := strings.Split(text, ",")
	for i, entry := range entries {
		entry = strings.TrimSpace(entry)
		if i == 0 && entry == plainEntry && len(entries) > 1 {
			set.plain = true
			continue
		}
		if err := set.add(entry); err != nil {
			return Keys{}, fmt.Errorf("codec keys, %d of %d: %w", i+1, len(entries), err)
		}
	}
	return Keys{set: set}, nil
}

// add takes one entry. What stands before the colon is shown in an error only once it is known to be an id.
func (s *keySet) add(entry string) error {
	id, text, found := strings.Cut(entry, ":")
	switch {
	case entry == "":
		return errors.New("there is nothing; expected ID:BASE64")
	case !found:
		return errors.New("there is no colon; expected ID:BASE64")
	case !idPattern.MatchString(id):
		return errors.New("what stands before the colon is no id; expected 1 to 20 letters, digits, dots, hyphens and underscores")
	case s.ciphers[id] != nil:
		return fmt.Errorf("the id %q is there twice; expected each id once", id)
	}
	aead, err := newCipher(text)
	if err != nil {
		return fmt.Errorf("the key with the id %q %w", id, err)
	}
	s.ids = append(s.ids, id)
	s.ciphers[id] = aead
	return nil
}

// newCipher's errors go on a sentence that begins with the key's name.
func newCipher(text string) (cipher.AEAD, error) {
	const expected = "expected 32 bytes in standard base64 (openssl rand -base64 32)"
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("is not in standard base64; " + expected) // err is left out: it is about the key's text
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("has %d bytes; %s", len(key), expected)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("does not fit AES: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("does not fit GCM: %w", err)
	}
	return aead, nil
}

// IsEmpty reports whether there is no key.
func (k Keys) IsEmpty() bool { return k.set == nil }

// Encrypts reports whether anything is encrypted: there is a key, and the word plain was not in front.
func (k Keys) Encrypts() bool { return !k.IsEmpty() && !k.set.plain }

// IDs returns the keys' ids, that of the key that encrypts first.
func (k Keys) IDs() []string {
	if k.IsEmpty() {
		return nil
	}
	return slices.Clone(k.set.ids)
}

// find returns the key with the id, nil if there is none.
func (k Keys) find(id string) cipher.AEAD {
	if k.IsEmpty() {
		return nil
	}
	return k.set.ciphers[id]
}

// String returns the ids, as "[keys: new, old]"; "[keys: plain, new]" where none encrypts.
func (k Keys) String() string { return "[keys: " + k.list() + "]" }

// Format writes what String returns, for every verb.
func (k Keys) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, k.String()) }

// LogValue returns what String returns.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText returns what String returns; encoders for JSON and YAML ask it too.
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

func (k Keys) list() string {
	if k.IsEmpty() {
		return "none"
	}
	names := k.set.ids
	if k.set.plain {
		names = slices.Concat([]string{plainEntry}, names)
	}
	return strings.Join(names, ", ")
}
