package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// byDefault is the source of a value that nobody set.
const byDefault = "the default"

// Source is where [Load] reads from. The zero Source gives the defaults and the file holdfast.yaml of the working directory.
type Source struct {
	// Flags is the parsed set on which [Flags] registered. nil: no flags.
	Flags *pflag.FlagSet
	// Environ is the environment in the form of os.Environ. nil: no variables, not those of the process.
	Environ []string
	// Dir is the directory of holdfast.yaml and of a relative --config. Empty: the working directory.
	Dir string
}

// Sources says where each setting came from, by key. A setting that was not given is not in it.
type Sources map[string]string

// Given reports whether the key was set: in the file, the environment or by a flag.
func (s Sources) Given(key string) bool { return s[key] != "" }

// Load reads and checks all settings. On any problem it returns the zero Config and all problems joined, each a line that
// begins with "config: "; those of a key are [KeyError]. A named file that is missing is an error that wraps fs.ErrNotExist.
func Load(src Source) (Config, error) {
	c, _, err := LoadSources(src)
	return c, err
}

// LoadSources is [Load] for a caller that treats a setting that was given differently from a default.
func LoadSources(src Source) (Config, Sources, error) {
	var c Config
	keys := table(&c)
	env, envFile, problems := environment(keys, src.Environ)
	flags, flagFile := given(src.Flags)
	name, namedBy := fileName(flagFile, envFile)
	file, fileProblems := readFile(keys, src.Dir, name, namedBy)
	problems = append(fileProblems, problems...)

	merged, err := merge(keys, file, env, flags)
	if err != nil {
		return Config{}, nil, errors.Join(append(problems, err)...)
	}
	problems = append(problems, merged.set(keys)...)
	if len(problems) == 0 {
		problems = merged.together(c)
	}
	if len(problems) > 0 {
		return Config{}, nil, errors.Join(problems...)
	}
	return c, merged.sources, nil
}

// fileName is the file to read and who named it, nobody for the default.
func fileName(flag, env string) (name, namedBy string) {
	switch {
	case flag != "":
		return flag, "--" + fileFlag
	case env != "":
		return env, fileEnv
	}
	return defaultFile, ""
}

// layer is what one place says, by key.
type layer map[string]found

// found is a value as it was found, and where.
type found struct {
	raw    any
	source string
}

// tree is the layer in the nested form that viper merges.
func (l layer) tree() map[string]any {
	root := map[string]any{}
	for name, value := range l {
		node := root
		parts := strings.Split(name, ".")
		for _, part := range parts[:len(parts)-1] {
			child, ok := node[part].(map[string]any)
			if !ok {
				child = map[string]any{}
				node[part] = child
			}
			node = child
		}
		node[parts[len(parts)-1]] = value.raw
	}
	return root
}

// values is all places together: viper has the values, sources where each came from.
type values struct {
	viper   *viper.Viper
	sources Sources
}

// merge lays the places over each other. Viper could read the environment by itself, but only that of the process, and
// only the variables of keys it has been told of, so that an unknown one would go unnoticed.
func merge(keys []Key, file, env layer, flags []*flagValue) (values, error) {
	v := values{viper: viper.New(), sources: Sources{}}
	for _, k := range keys {
		v.viper.SetDefault(k.Name, k.Default)
	}
	for _, l := range []layer{file, env} {
		if err := v.viper.MergeConfigMap(l.tree()); err != nil {
			return values{}, fmt.Errorf("config: merging: %w", err)
		}
		for name, value := range l {
			v.sources[name] = value.source
		}
	}
	for _, flag := range flags {
		if err := v.viper.BindFlagValue(flag.key, flag); err != nil {
			return values{}, fmt.Errorf("config: binding --%s: %w", flag.name, err)
		}
		v.sources[flag.key] = "--" + flag.name
	}
	return v, nil
}

// set parses each value into its field.
func (v values) set(keys []Key) (problems []error) {
	for _, k := range keys {
		raw := v.viper.Get(k.Name)
		if err := k.set(raw); err != nil {
			problems = append(problems, badValue(k, raw, v.source(k.Name), err))
		}
	}
	return problems
}

// together holds what two values must be to each other, once each is good by itself.
func (v values) together(c Config) (problems []error) {
	for _, pair := range []struct {
		long, short string
		above, what time.Duration
	}{
		{"starter.ping_timeout", "starter.ping_interval", c.Starter.PingTimeout, c.Starter.PingInterval},
		{"starter.heartbeat_timeout", "starter.heartbeat_interval", c.Starter.HeartbeatTimeout, c.Starter.HeartbeatInterval},
	} {
		if pair.above > pair.what {
			continue
		}
		problems = append(problems, &KeyError{
			Key:     pair.long,
			Source:  v.source(pair.long),
			Problem: fmt.Sprintf("%s is not above %s, which is %s from %s", short(pair.above), pair.short, short(pair.what), v.source(pair.short)),
		})
	}
	return append(problems, v.pairs(c)...)
}

// pairs holds that a certificate comes with its key.
func (v values) pairs(c Config) (problems []error) {
	for _, pair := range []struct{ section, cert, key string }{
		{"temporal", c.Temporal.TLSCertFile, c.Temporal.TLSKeyFile},
		{"starter", c.Starter.TLSCertFile, c.Starter.TLSKeyFile},
	} {
		cert, key := pair.section+".tls_cert_file", pair.section+".tls_key_file"
		switch {
		case pair.cert != "" && pair.key == "":
			problems = append(problems, &KeyError{Key: key, Source: v.source(key), Problem: "it is empty, but " + cert + " is set; expected both or neither"})
		case pair.cert == "" && pair.key != "":
			problems = append(problems, &KeyError{Key: cert, Source: v.source(cert), Problem: "it is empty, but " + key + " is set; expected both or neither"})
		}
	}
	return problems
}

func (v values) source(name string) string { return orDefault(v.sources[name]) }

func orDefault(source string) string {
	if source == "" {
		return byDefault
	}
	return source
}
