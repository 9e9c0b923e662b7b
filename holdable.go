package holdfast

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// holdable says what in a type encoding/json would refuse or silently drop.
func holdable(typ reflect.Type) error {
	return walkType(typ, typ.Name(), map[reflect.Type]bool{})
}

func walkType(typ reflect.Type, path string, seen map[reflect.Type]bool) error {
	if seen[typ] || hasOwnJSON(typ) {
		return nil
	}
	seen[typ] = true
	switch typ.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return fmt.Errorf("%s is a %s, which JSON cannot hold", path, typ)
	case reflect.Interface:
		if typ.NumMethod() > 0 {
			return fmt.Errorf("%s is the interface %s, which JSON cannot read back", path, typ)
		}
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return walkType(typ.Elem(), path, seen)
	case reflect.Map:
		return walkMap(typ, path, seen)
	case reflect.Struct:
		return walkFields(typ, path, seen)
	default: // a plain value
	}
	return nil
}

func walkMap(typ reflect.Type, path string, seen map[reflect.Type]bool) error {
	switch kind := typ.Key().Kind(); {
	case kind == reflect.String, kind >= reflect.Int && kind <= reflect.Uint64, hasOwnJSON(typ.Key()):
		return walkType(typ.Elem(), path+"[…]", seen)
	default:
		return fmt.Errorf("%s is a map by %s, which JSON cannot hold", path, typ.Key())
	}
}

func walkFields(typ reflect.Type, path string, seen map[reflect.Type]bool) error {
	for field := range typ.Fields() {
		fieldPath := path + "." + field.Name
		if field.Tag.Get("json") == "-" {
			return fmt.Errorf("%s is kept out of JSON by its tag, so it would be lost between two sections", fieldPath)
		}
		if !field.IsExported() && !field.Anonymous {
			return fmt.Errorf("%s is unexported, so JSON would lose it; to hide a field from the client tag it `json:\"_%s\"`", fieldPath, field.Name)
		}
		if err := walkType(field.Type, fieldPath, seen); err != nil {
			return err
		}
	}
	return nil
}

// hasOwnJSON reports a type that writes itself, such as time.Time; what it writes is checked by the round trip.
func hasOwnJSON(typ reflect.Type) bool {
	return reflect.PointerTo(typ).Implements(jsonMarshaler) || reflect.PointerTo(typ).Implements(textMarshaler)
}
