package deploy

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// interpolation is ${NAME}, ${NAME:-default} or ${NAME:?sentence}.
type interpolation struct {
	name string
	kind string // "-", "?" or nothing
	rest string // the default, which may hold further ones, or the sentence
}

var inBraces = regexp.MustCompile(`^([A-Z][A-Z0-9_]*)(?::([-?])(.*))?$`)

// interpolate is the text with something else for each of its interpolations.
func interpolate(text string, instead func(interpolation) string) string {
	start := strings.Index(text, "${")
	if start < 0 {
		return text
	}
	start += len("${")
	end := start + closing(text[start:])
	parts := inBraces.FindStringSubmatch(text[start:end])
	if parts == nil {
		return text[:start] + interpolate(text[start:], instead)
	}
	return text[:start-len("${")] + instead(interpolation{parts[1], parts[2], parts[3]}) + interpolate(text[end+1:], instead)
}

// closing is where the brace is that closes the one before the text.
func closing(text string) int {
	for i, depth := 0, 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "${"):
			depth++
		case text[i] == '}' && depth == 0:
			return i
		case text[i] == '}':
			depth--
		}
	}
	return 0
}

// interpolations are all those of the text, with those in the defaults of others.
func interpolations(text string) (all []interpolation) {
	interpolate(text, func(i interpolation) string {
		all = append(all, i)
		if i.kind == "-" {
			all = append(all, interpolations(i.rest)...)
		}
		return ""
	})
	return all
}

// sample is a value for what has none by default: it fits every secret, and a password in a URL.
const sample = "0123456789abcdef0123456789abcdef"

// expand is the text as docker compose makes it with an .env that has only what is required.
func expand(text string) string { return expandWith(text, nil) }

// expandWith is the same with an .env that has these besides.
func expandWith(text string, env map[string]string) string {
	return interpolate(text, func(i interpolation) string {
		value, isSet := env[i.name]
		switch {
		case isSet:
			return value
		case i.kind == "-":
			return expandWith(i.rest, env)
		case i.name == "HOLDFAST_TEMPORAL_ENCRYPTION_KEYS":
			return "2026-01-02:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
		}
		return sample
	})
}

func TestInterpolationIsThatOfCompose(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"none":                            "none",
		"${A:-1}:${B:-2}":                 "1:2",
		"a${A:-}b":                        "ab",
		"${A:-http://x:${B:-2}}/${C:-3}":  "http://x:2/3",
		"${A:-${B:-${C:-3}}}":             "3",
		"${SET:-x}${A:-y${SET:-x}}":       "hereyhere",
		"${A:?is not set; \"sh it\"}${B}": sample + sample,
		"${lower} ${A:-1} ${unclosed":     "${lower} 1 ${unclosed",
	} {
		require.Equal(t, want, expandWith(text, map[string]string{"SET": "here"}), text)
	}
	require.Equal(t, []interpolation{{"A", "-", "x${B:-2}"}, {"B", "-", "2"}, {"C", "?", "why"}}, interpolations("${A:-x${B:-2}} ${C:?why}"))
}
