package holdfast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// A stored document may have members that the running code does not know: a newer program wrote
// them, in a rolling deploy or before a rollback. They survive the commits of this program.
//
// Three JSON texts of a value are compared, along its Go type: what is stored, what this program
// makes of that (known), and what the section left (after). Where known and after are equal the
// section changed nothing, and the stored text stays. Elsewhere after holds, and the members of
// the stored text that no field of the type takes are added to it.
//
// A type that reads or writes JSON by methods of its own is opaque: no other code can say which
// members it knows, so its text is replaced whole.

// decodeStored returns a new *T with the stored document, or with the initial value when there is
// none. It reports whether the document has members that the type does not know.
func (s *stateType) decodeStored(doc json.RawMessage) (value reflect.Value, unknown bool, err error) {
	if doc != nil {
		value = reflect.New(s.typ)
		strict := json.NewDecoder(bytes.NewReader(doc))
		strict.DisallowUnknownFields()
		if strict.Decode(value.Interface()) == nil {
			return value, false, nil
		}
	}
	value, err = s.decode(doc) // what is wrong is an unknown member, or is wrong here as well
	return value, doc != nil, err
}

// keepUnknown returns what to store in place of a document that has members which the type does
// not know, when a section left after.
func (s *stateType) keepUnknown(stored, after json.RawMessage) (json.RawMessage, error) {
	value, err := s.decode(stored)
	if err != nil {
		return nil, err
	}
	known, err := json.Marshal(value.Interface())
	if err != nil {
		return nil, fmt.Errorf("encode state %s as it was: %w", s.name, err)
	}
	return mergeValue(s.typ, stored, known, after)
}

// mergeValue returns after with the members of stored that the type does not know.
func mergeValue(typ reflect.Type, stored, known, after json.RawMessage) (json.RawMessage, error) {
	if bytes.Equal(known, after) {
		return stored, nil
	}
	for typ.Kind() == reflect.Pointer && !isOpaque(typ) {
		typ = typ.Elem()
	}
	if isOpaque(typ) {
		return after, nil
	}
	switch kind := typ.Kind(); {
	case kind == reflect.Struct && allBegin('{', stored, known, after):
		return mergeStruct(typ, stored, known, after)
	case kind == reflect.Map && allBegin('{', stored, known, after):
		return mergeMap(typ, stored, known, after)
	case (kind == reflect.Slice || kind == reflect.Array) && allBegin('[', stored, known, after):
		return mergeList(typ, stored, known, after)
	default:
		return after, nil
	}
}

// isOpaque reports a type that reads or writes JSON by its own methods, or whose members are all
// known.
func isOpaque(typ reflect.Type) bool {
	to := reflect.PointerTo(typ)
	return hasOwnJSON(typ) || to.Implements(jsonUnmarshaler) || to.Implements(textUnmarshaler) || typ.Kind() == reflect.Interface
}

func allBegin(with byte, texts ...json.RawMessage) bool {
	for _, text := range texts {
		if text = bytes.TrimLeft(text, " \t\r\n"); len(text) == 0 || text[0] != with {
			return false
		}
	}
	return true
}

func mergeStruct(typ reflect.Type, storedText, knownText, afterText json.RawMessage) (json.RawMessage, error) {
	stored, known, after, err := parseObjects(storedText, knownText, afterText)
	if err != nil {
		return nil, err
	}
	fields := fieldsOf(typ)
	taken := map[string]json.RawMessage{} // by the name of the field that takes it
	var rest object
	for _, m := range stored {
		if f, ok := fields.match(m.name); ok {
			taken[f.name] = m.value
		} else if after.get(m.name) == nil {
			rest = append(rest, m)
		}
	}
	for i, m := range after {
		if after[i].value, err = mergeField(fields, m, taken[m.name], known.get(m.name)); err != nil {
			return nil, err
		}
	}
	return append(append(after, omitted(fields, taken, known, after)...), rest...).encode()
}

// mergeField merges a member that the section left.
func mergeField(fields jsonFields, after member, stored, known json.RawMessage) (json.RawMessage, error) {
	f, ok := fields.match(after.name)
	if !ok || stored == nil {
		return after.value, nil
	}
	if known == nil && !allBegin('{', stored) {
		return after.value, nil
	}
	if known == nil { // omitted as zero: all that is stored of it is unknown
		known = json.RawMessage("{}")
	}
	return mergeValue(f.typ, stored, known, after.value)
}

// omitted are the objects in fields that this program omits, as omitzero does, both of what is
// stored and of what the section left: it never saw what is in them. What it omits only now the
// section removed.
func omitted(fields jsonFields, taken map[string]json.RawMessage, known, after object) (out object) {
	for _, f := range fields {
		value := taken[f.name]
		if value != nil && allBegin('{', value) && known.get(f.name) == nil && after.get(f.name) == nil {
			out = append(out, member{f.name, value})
		}
	}
	return out
}

func mergeMap(typ reflect.Type, storedText, knownText, afterText json.RawMessage) (json.RawMessage, error) {
	stored, known, after, err := parseObjects(storedText, knownText, afterText)
	if err != nil {
		return nil, err
	}
	storedBy, knownBy := stored.index(), known.index()
	for i, m := range after {
		before, ok := storedBy[m.name]
		if !ok || knownBy[m.name] == nil {
			continue
		}
		if after[i].value, err = mergeValue(typ.Elem(), before, knownBy[m.name], m.value); err != nil {
			return nil, err
		}
	}
	return after.encode()
}

// mergeList goes on from stored elements: from those with equal known content first, and else by
// the index, if the list has kept its length.
func mergeList(typ reflect.Type, storedText, knownText, afterText json.RawMessage) (json.RawMessage, error) {
	var stored, known, after []json.RawMessage
	for i, list := range []*[]json.RawMessage{&stored, &known, &after} {
		if err := json.Unmarshal([]json.RawMessage{storedText, knownText, afterText}[i], list); err != nil {
			return nil, fmt.Errorf("read a list of the state: %w", err)
		}
	}
	byIndex := len(known) == len(after)
	known = known[:min(len(known), len(stored))] // an array has elements that were not stored
	for j, i := range pairElements(known, after, byIndex) {
		if i < 0 {
			continue
		}
		merged, err := mergeValue(typ.Elem(), stored[i], known[i], after[j])
		if err != nil {
			return nil, err
		}
		after[j] = merged
	}
	return json.Marshal(after)
}

// pairElements returns for each element of after the index of the known one that it goes on from,
// or -1. No known element is taken twice.
func pairElements(known, after []json.RawMessage, byIndex bool) []int {
	pairs := make([]int, len(after))
	taken := make([]bool, len(known))
	free := map[string][]int{} // indices by content
	for i, element := range known {
		if i < len(after) && bytes.Equal(element, after[i]) {
			taken[i] = true
		} else {
			free[string(element)] = append(free[string(element)], i)
		}
	}
	for j, element := range after {
		pairs[j] = -1
		if j < len(known) && taken[j] && bytes.Equal(known[j], element) {
			pairs[j] = j
		} else if same := free[string(element)]; len(same) > 0 {
			pairs[j], free[string(element)] = same[0], same[1:]
		}
	}
	for _, i := range pairs {
		if i >= 0 {
			taken[i] = true
		}
	}
	for j := range after {
		if byIndex && pairs[j] < 0 && j < len(known) && !taken[j] {
			pairs[j] = j
		}
	}
	return pairs
}
