package holdfast

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type plainFields struct {
	A       int
	B       int `json:"b"`
	Dashed  int `json:"-,"`
	Left    int `json:"-"`
	Invalid int `json:"a\"b"`
	hidden  int
}

type tagged struct {
	X int `json:"x"`
	Y int `json:"y"`
}

type untagged struct {
	X int
	Y int `json:"Y"`
}

type deeper struct{ *tagged }

type word string

type embedding struct {
	tagged
	untagged
	word
	Named  tagged `json:"named"`
	Tagged tagged `json:"x"`
}

type rivals struct {
	untagged
	Second struct{ tagged }
	third
}

type third struct {
	X int
	Z int
}

type loop struct {
	*loop
	N int
}

type folded struct {
	K int `json:"K"`
	L int `json:"k"`
	S int `json:"ſ"`
}

// TestFieldsOf_KnowsWhatEncodingJSONKnows asks encoding/json itself of each name.
func TestFieldsOf_KnowsWhatEncodingJSONKnows(t *testing.T) {
	t.Parallel()
	names := []string{
		"A", "a", "b", "B", "-", "Left", "Invalid", "hidden", "x", "X", "y", "Y", "word", "Word", "named", "NAMED", "Named", "tagged",
		"Tagged", "z", "Z", "Second", "n", "N", "loop", "k", "K", "\u212a", "s", "S", "ſ", "",
	}
	_ = plainFields{hidden: 1}.hidden
	for _, value := range []any{plainFields{}, embedding{}, rivals{}, deeper{}, loop{}, folded{}, tagged{}, untagged{}} {
		typ := reflect.TypeOf(value)
		fields := fieldsOf(typ)
		for _, name := range names {
			key, err := json.Marshal(name)
			require.NoError(t, err)
			decoder := json.NewDecoder(strings.NewReader("{" + string(key) + ":null}"))
			decoder.DisallowUnknownFields()
			err = decoder.Decode(reflect.New(typ).Interface())
			_, known := fields.match(name)
			unknown := err != nil && strings.Contains(err.Error(), "unknown field")
			require.Equal(t, unknown, !known, "%s: %q: %v", typ, name, err)
		}
		written, err := json.Marshal(value)
		require.NoError(t, err)
		object, err := parseObject(written)
		require.NoError(t, err)
		for _, m := range object {
			f, ok := fields.match(m.name)
			require.True(t, ok && f.name == m.name, "%s writes %q", typ, m.name)
		}
	}
}
