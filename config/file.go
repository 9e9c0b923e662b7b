package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// defaultFile is read when no file is named, and may be absent.
const defaultFile = "holdfast.yaml"

// readFile reads the file called name, below dir if it is relative. A missing file is as good as an empty one unless namedBy
// says who named it.
func readFile(keys []Key, dir, name, namedBy string) (layer, []error) {
	content, err := os.ReadFile(within(dir, name))
	if errors.Is(err, fs.ErrNotExist) && namedBy == "" {
		return nil, nil
	}
	if err != nil {
		return nil, []error{fmt.Errorf("config: cannot read the file %q (from %s): %w", name, orDefault(namedBy), err)}
	}
	tree, err := decode(content)
	if err != nil {
		return nil, []error{fmt.Errorf("config: %s: %w", name, err)}
	}
	f := file{keys: keys, name: name, values: layer{}}
	f.walk("", tree)
	return f.values, f.problems
}

func within(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// decode is viper's YAML decoder, without viper's next step of making all keys lower-case: by that, of two keys that differ
// in case one would be lost, and one could not say which.
func decode(content []byte) (map[string]any, error) {
	decoder, err := viper.NewCodecRegistry().Decoder("yaml")
	if err != nil {
		return nil, fmt.Errorf("no decoder: %w", err)
	}
	tree := map[string]any{}
	err = decoder.Decode(content, tree)
	if err != nil && strings.Contains(err.Error(), "cannot unmarshal") {
		return nil, errors.New("it is not a mapping from keys to values") // the decoder would quote what there is
	}
	if err != nil && strings.Contains(err.Error(), "unknown anchor") {
		return nil, errors.New("a value begins with *, which YAML takes for a reference; put it in quotes") // what it is may be a secret
	}
	if err != nil {
		return nil, fmt.Errorf("it is not YAML: %w", err)
	}
	return tree, nil
}

// file gathers what a file says.
type file struct {
	keys     []Key
	name     string
	values   layer
	problems []error
}

// walk goes down from a section, "" for the top. A key may also stand at the top under its full name.
func (f *file) walk(section string, tree map[string]any) {
	for _, part := range slices.Sorted(maps.Keys(tree)) {
		path := part
		if section != "" {
			path = section + "." + part
		}
		f.entry(path, tree[part])
	}
}

func (f *file) entry(path string, raw any) {
	if _, isKey := find(f.keys, path); isKey {
		f.value(path, raw)
		return
	}
	below := sectionOf(f.keys, path)
	tree, isTree := raw.(map[string]any)
	switch {
	case len(below) == 0:
		f.problem(path, "no such key"+suggest(path, names(f.keys)))
	case isTree:
		f.walk(path, tree)
	case raw != nil: // a section whose keys are all commented out is nil
		f.problem(path, "it is a section, with the keys "+strings.Join(below, ", "))
	}
}

func (f *file) value(path string, raw any) {
	_, twice := f.values[path]
	switch {
	case twice:
		f.problem(path, "it is given twice")
	case raw == nil:
		f.problem(path, "it has no value; leave the line out for the default")
	default:
		f.values[path] = found{raw: raw, source: f.name}
	}
}

func (f *file) problem(key, sentence string) {
	f.problems = append(f.problems, &KeyError{Key: key, Source: f.name, Problem: sentence})
}

func names(keys []Key) []string {
	all := make([]string, 0, len(keys))
	for _, k := range keys {
		all = append(all, k.Name)
	}
	return all
}
