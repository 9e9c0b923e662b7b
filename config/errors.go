package config

import "fmt"

// KeyError is one thing that is wrong with one setting. The error of [Load] can hold several: errors.As finds the first.
type KeyError struct {
	// Key is the key's name, such as "temporal.address", or the unknown key or variable as it was found.
	Key string
	// Source is where it was found: the file's name, an environment variable, a flag with its hyphens, or "the default".
	Source string
	// Problem is the sentence without key and source, such as `"foo" is not host:port`. It holds no secret.
	Problem string
}

// Error is the whole sentence on one line: `config: temporal.address: "foo" is not host:port (from holdfast.yaml)`.
func (e *KeyError) Error() string {
	return fmt.Sprintf("config: %s: %s (from %s)", e.Key, e.Problem, e.Source)
}

// badValue reports a value that its key did not take, for the reason that err gives.
func badValue(k Key, raw any, source string, err error) *KeyError {
	shown := "the value (not shown)"
	switch {
	case k.shown != nil:
		shown = k.shown(raw)
	case k.Type != typeSecret:
		shown = show(raw)
	}
	return &KeyError{Key: k.Name, Source: source, Problem: shown + " " + err.Error()}
}
