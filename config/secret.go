package config

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is what a secret prints as, the empty one too.
const redacted = "[secret]"

// Secret is a string that does not show itself: however it is formatted, logged or marshalled, also inside another value,
// what comes out is "[secret]". Only [Secret.Reveal] gives the value. The zero Secret is empty.
type Secret struct {
	// A pointer, so that fmt, which reads an unexported field of another struct without asking the methods below, prints an
	// address and not the value.
	value *string
}

// NewSecret returns value as a secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value. Hand it to what needs it and to nothing that prints.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsEmpty reports whether no secret was given.
func (s Secret) IsEmpty() bool { return s.value == nil }

// Equal reports whether both hold the same value. It takes a time that depends on the values: to check what a stranger
// sent, compare with crypto/subtle.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String returns "[secret]".
func (s Secret) String() string { return redacted }

// GoString returns "[secret]".
func (s Secret) GoString() string { return redacted }

// Format writes "[secret]" for every verb.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, redacted) }

// LogValue returns "[secret]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[secret]", which makes the secret a safe key of a map as well.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON returns "[secret]" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalYAML returns "[secret]".
func (s Secret) MarshalYAML() (any, error) { return redacted, nil }
