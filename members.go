package holdfast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// object is a JSON object with its members in their order.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

// parseObject reads one level of an object. Of members of the same name the last holds.
func parseObject(text json.RawMessage) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil { // the brace
		return nil, fmt.Errorf("read an object of the state: %w", err)
	}
	var o object
	seen := map[string]int{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, fmt.Errorf("read an object of the state: %w", err)
		}
		var m member
		m.name, _ = token.(string)
		if err := decoder.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("read an object of the state: %w", err)
		}
		if i, twice := seen[m.name]; twice {
			o[i].value = m.value
			continue
		}
		seen[m.name] = len(o)
		o = append(o, m)
	}
	return o, nil
}

func parseObjects(a, b, c json.RawMessage) (x, y, z object, err error) {
	if x, err = parseObject(a); err != nil {
		return nil, nil, nil, err
	}
	if y, err = parseObject(b); err != nil {
		return nil, nil, nil, err
	}
	z, err = parseObject(c)
	return x, y, z, err
}

// get returns the value of the member, or nil.
func (o object) get(name string) json.RawMessage {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

func (o object) index() map[string]json.RawMessage {
	byName := make(map[string]json.RawMessage, len(o))
	for _, m := range o {
		byName[m.name] = m.value
	}
	return byName
}

func (o object) encode() (json.RawMessage, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(m.value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// jsonFields are the fields of a struct as encoding/json sees them, those of embedded structs
// among them.
type jsonFields []jsonField

type jsonField struct {
	name   string
	typ    reflect.Type
	index  []int
	tagged bool
}

// match finds the field that takes a member of this name: the one of exactly this name, or the
// first whose name differs in case alone.
func (fields jsonFields) match(name string) (jsonField, bool) {
	folded := -1
	for i, f := range fields {
		if f.name == name {
			return f, true
		}
		if folded < 0 && strings.EqualFold(f.name, name) {
			folded = i
		}
	}
	if folded < 0 {
		return jsonField{}, false
	}
	return fields[folded], true
}

// fieldsOf lists the fields that encoding/json reads and writes. Of several with one name the
// least deeply embedded one counts, then the only one that a tag names; where that leaves several,
// none does.
func fieldsOf(typ reflect.Type) jsonFields {
	byName := map[string]jsonFields{}
	collectFields(typ, nil, map[reflect.Type]bool{}, byName)
	var fields jsonFields
	for _, same := range byName {
		least := slices.MinFunc(same, compareFields)
		rivals := 0
		for _, f := range same {
			if compareFields(f, least) == 0 {
				rivals++
			}
		}
		if rivals == 1 {
			fields = append(fields, least)
		}
	}
	slices.SortFunc(fields, func(a, b jsonField) int { return slices.Compare(a.index, b.index) })
	return fields
}

// compareFields orders fields of one name: the one that hides the other comes first.
func compareFields(a, b jsonField) int {
	switch {
	case len(a.index) != len(b.index):
		return len(a.index) - len(b.index)
	case a.tagged == b.tagged:
		return 0
	case a.tagged:
		return -1
	default:
		return 1
	}
}

func collectFields(typ reflect.Type, at []int, around map[reflect.Type]bool, byName map[string]jsonFields) {
	if around[typ] {
		return // a struct that embeds a pointer to itself
	}
	around[typ] = true
	defer delete(around, typ)
	for i := range typ.NumField() {
		field := typ.Field(i)
		index := append(slices.Clone(at), i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !validName(name) {
			name = ""
		}
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		embedded := field.Anonymous && inner.Kind() == reflect.Struct
		switch {
		case field.Tag.Get("json") == "-", !field.IsExported() && !embedded:
		case embedded && name == "":
			collectFields(inner, index, around, byName)
		default:
			f := jsonField{name: name, typ: field.Type, index: index, tagged: name != ""}
			if name == "" {
				f.name = field.Name
			}
			byName[f.name] = append(byName[f.name], f)
		}
	}
}

// validName reports a name in a tag that encoding/json takes.
func validName(name string) bool {
	for _, c := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return name != ""
}
