package config

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The words of Key.Type.
const (
	typeBool     = "bool"
	typeDuration = "duration"
	typeFloat    = "float"
	typeInt      = "int"
	typeList     = "list"
	typeSecret   = "secret"
	typeString   = "string"
)

// errUnfit is what a parse returns when "is not" and the kind's expectation say all there is to say.
var errUnfit = errors.New("unfit")

// kind is a kind of value. parse takes what the file (any type that YAML has), the environment or a flag (a string) hold;
// its error continues a sentence that begins with the value.
type kind[T any] struct {
	typ      string
	expected string
	parse    func(raw any) (T, error)
	shown    func(raw any) string // as an error may show it; nil: see show
}

// text is a string for which ok holds.
func text(expected string, ok func(string) bool) kind[string] {
	return kind[string]{typ: typeString, expected: expected, parse: func(raw any) (string, error) {
		s, err := asString(raw)
		if err == nil && !ok(s) {
			err = errUnfit
		}
		return s, err
	}}
}

// oneOf is one of the words, exactly.
func oneOf(words ...string) kind[string] {
	return text("one of "+strings.Join(words, ", "), func(s string) bool { return slices.Contains(words, s) })
}

// level is a slog level by its lower-case name, without the offsets that slog itself would take ("info+3").
func level() kind[slog.Level] {
	names := oneOf("debug", "info", "warn", "error")
	return kind[slog.Level]{typ: typeString, expected: names.expected, parse: func(raw any) (l slog.Level, err error) {
		s, err := names.parse(raw)
		if err == nil && l.UnmarshalText([]byte(s)) != nil {
			err = errUnfit
		}
		return l, err
	}}
}

// optional is empty or what the kind takes.
func optional(k kind[string]) kind[string] {
	parse := k.parse
	k.expected += ", or empty"
	k.parse = func(raw any) (string, error) {
		if raw == "" {
			return "", nil
		}
		return parse(raw)
	}
	return k
}

// count is a whole number from 1 to most.
func count(most int) kind[int] { return between(1, most) }

// between is a whole number from least to most.
func between(least, most int) kind[int] {
	expected := fmt.Sprintf("a whole number from %d to %d", least, most)
	return kind[int]{typ: typeInt, expected: expected, parse: func(raw any) (int, error) {
		n, ok := raw.(int)
		if s, isString := raw.(string); isString {
			parsed, err := strconv.Atoi(s)
			n, ok = parsed, err == nil
		}
		if !ok || n < least || n > most {
			return 0, errUnfit
		}
		return n, nil
	}}
}

// pollers is a number of polls for workflows, of which the SDK needs two: one for what it has in its cache, one for the rest.
func pollers() kind[int] {
	k := between(0, 1000)
	k.expected = "0 or a whole number from 2 to 1000"
	parse := k.parse
	k.parse = func(raw any) (int, error) {
		n, err := parse(raw)
		if n == 1 {
			err = errUnfit
		}
		return n, err
	}
	return k
}

// share is a number from 0 to 1.
func share() kind[float64] {
	return kind[float64]{typ: typeFloat, expected: "a number from 0 to 1, such as 0.1", parse: func(raw any) (float64, error) {
		var n float64
		ok := true
		switch raw := raw.(type) {
		case int:
			n = float64(raw)
		case float64:
			n = raw
		case string:
			parsed, err := strconv.ParseFloat(raw, 64)
			n, ok = parsed, err == nil
		default:
			ok = false
		}
		if !ok || !(n >= 0 && n <= 1) { // not n < 0: that lets NaN pass
			return 0, errUnfit
		}
		return n, nil
	}}
}

// boolean is true or false; YAML's and strconv's other spellings are refused, since "off" for one is text for the other.
func boolean() kind[bool] {
	return kind[bool]{typ: typeBool, expected: "true or false", parse: func(raw any) (bool, error) {
		switch raw {
		case true, "true":
			return true, nil
		case false, "false":
			return false, nil
		}
		return false, errUnfit
	}}
}

// duration is a Go duration from least to most, or without an upper limit when most is 0. A bare number is refused, since
// nobody can see whether it means seconds.
func duration(least, most time.Duration) kind[time.Duration] {
	expected := fmt.Sprintf("a duration from %s to %s, such as 5s", short(least), short(most))
	if most == 0 {
		expected = fmt.Sprintf("a duration of at least %s, such as 90m", short(least))
	}
	return kind[time.Duration]{typ: typeDuration, expected: expected, parse: func(raw any) (time.Duration, error) {
		d, err := asDuration(raw)
		switch {
		case err != nil && bareNumber(raw):
			return 0, fmt.Errorf("has no unit; it is to be %s", expected)
		case err != nil, d < least, most > 0 && d > most:
			return 0, errUnfit
		}
		return d, nil
	}}
}

// secret is empty or a string of at least so many characters. Its errors never hold the value.
func secret(least int) kind[Secret] {
	expected := fmt.Sprintf("a text of at least %d characters, such as 32 random bytes in base64, or empty", least)
	return hidden(expected, func(s string) bool { return utf8.RuneCountInString(s) >= least })
}

// token is empty or what can stand in a header.
func token() kind[Secret] {
	return hidden("a text without spaces, or empty", func(s string) bool { return !strings.ContainsFunc(s, isSpaceOrControl) })
}

func isSpaceOrControl(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// keyRing is empty or a list of AES-256 keys with their ids.
func keyRing() kind[Secret] {
	return hidden("[plain,]ID:KEY[,ID:KEY…] with keys of 32 random bytes in base64, or empty", ring.MatchString)
}

// ring matches ids with keys: 32 bytes are 43 digits and the sign of equality. Package codec reads it.
var ring = regexp.MustCompile(`^(plain,)?[\w.-]{1,20}:[A-Za-z0-9+/]{43}=(,[\w.-]{1,20}:[A-Za-z0-9+/]{43}=)*$`)

// hidden is empty or a secret for which ok holds.
func hidden(expected string, ok func(string) bool) kind[Secret] {
	return kind[Secret]{typ: typeSecret, expected: expected, parse: func(raw any) (Secret, error) {
		s, err := asString(raw)
		if err == nil && s != "" && !ok(s) {
			err = errUnfit
		}
		return NewSecret(s), err
	}}
}

// list is a list of strings for each of which ok holds: a list in the file, separated by commas elsewhere.
func list(expected string, ok func(string) bool) kind[[]string] {
	return kind[[]string]{typ: typeList, expected: expected, parse: func(raw any) ([]string, error) {
		entries, err := asList(raw)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if !ok(entry) {
				return nil, fmt.Errorf("is not %s: %s does not fit", expected, show(entry))
			}
		}
		return entries, nil
	}}
}

func asString(raw any) (string, error) {
	switch raw := raw.(type) {
	case string:
		return raw, nil
	case bool, int, int64, uint64, float64, time.Time:
		return "", errors.New("is not text to YAML; put it in quotes")
	}
	return "", errUnfit
}

func asDuration(raw any) (time.Duration, error) {
	if raw == 0 {
		return 0, nil // the only number that means the same in every unit
	}
	s, ok := raw.(string)
	if !ok {
		return 0, errUnfit
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errUnfit
	}
	return d, nil
}

func asList(raw any) ([]string, error) {
	switch raw := raw.(type) {
	case string:
		return splitList(raw), nil
	case []any:
		var entries []string
		for _, entry := range raw {
			s, err := asString(entry)
			if err != nil {
				return nil, err
			}
			entries = append(entries, s)
		}
		return entries, nil
	}
	return nil, errUnfit
}

// splitList is nil for the empty string, so that "nothing" has one form.
func splitList(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	entries := strings.Split(s, ",")
	for i := range entries {
		entries[i] = strings.TrimSpace(entries[i])
	}
	return entries
}

// bareNumber reports a number without a unit.
func bareNumber(raw any) bool {
	switch raw := raw.(type) {
	case int, int64, uint64, float64:
		return true
	case string:
		_, err := strconv.ParseFloat(raw, 64)
		return err == nil
	}
	return false
}

// short is a duration without the zeros at its end: 1h, not 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
