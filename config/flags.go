package config

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"
)

const (
	fileFlag = "config"
	fileEnv  = envPrefix + "CONFIG"
)

// Flags registers --config and the flags of all keys on fs, or only of the given sections ("starter", "log", …), for a program
// that reads no others. The flags take any text; [Load] checks it together with the rest.
//
// It panics when a section does not exist, and as pflag does when fs has a flag of the same name.
func Flags(fs *pflag.FlagSet, sections ...string) {
	keys := Keys()
	for _, section := range sections {
		if len(sectionOf(keys, section)) == 0 {
			panic(fmt.Sprintf("config.Flags: there is no section %q", section))
		}
	}
	fs.Var(&flagValue{typ: typeString}, fileFlag, "the `file` to read instead of "+defaultFile+" (env "+fileEnv+")")
	for _, k := range keys {
		if k.Flag() != "" && (len(sections) == 0 || slices.Contains(sections, k.Section())) {
			register(fs, k)
		}
	}
}

// FlagError adds to an error of fs.Parse about a flag that does not exist the name that was most likely meant. Other errors are
// returned as they are.
func FlagError(fs *pflag.FlagSet, err error) error {
	missing, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	var names []string
	fs.VisitAll(func(flag *pflag.Flag) { names = append(names, "--"+flag.Name) })
	guess := suggest("--"+missing.GetSpecifiedName(), names)
	if guess == "" {
		return err
	}
	return fmt.Errorf("%w%s", err, guess)
}

func register(fs *pflag.FlagSet, k Key) {
	value := &flagValue{key: k.Name, name: k.Flag(), typ: k.Type, text: k.Default}
	flag := fs.VarPF(value, k.Flag(), "", fmt.Sprintf("%s (env %s)", k.Doc, k.Env()))
	if k.Type == typeBool {
		flag.NoOptDefVal = "true" // --ephemeral alone
	}
}

// flagValue is a flag as it was given. It is what pflag writes to and what viper reads; both would parse numbers and
// truth values by themselves, viper without telling of a failure, so the one only sees text and so does the other.
type flagValue struct {
	key  string // empty for --config
	name string
	typ  string
	text string
	set  bool
}

// Set keeps the text, for pflag.
func (f *flagValue) Set(text string) error {
	f.text, f.set = text, true
	return nil
}

// String is the text given, or else the default, for pflag.
func (f *flagValue) String() string { return f.text }

// Type is a word for the help text, for pflag.
func (f *flagValue) Type() string { return f.typ }

// HasChanged reports whether the flag was given, for viper.
func (f *flagValue) HasChanged() bool { return f.set }

// Name is the flag's name, for viper.
func (f *flagValue) Name() string { return f.name }

// ValueString is the text given, for viper.
func (f *flagValue) ValueString() string { return f.text }

// ValueType tells viper not to convert.
func (f *flagValue) ValueType() string { return typeString }

// given returns the flags of ours that stand on the command line: those of keys, and the text of --config. Flags of the
// same name that somebody else registered are not ours.
func given(fs *pflag.FlagSet) (flags []*flagValue, file string) {
	if fs == nil {
		return nil, ""
	}
	fs.Visit(func(flag *pflag.Flag) {
		value, ours := flag.Value.(*flagValue)
		switch {
		case ours && value.key == "":
			file = value.text
		case ours:
			flags = append(flags, value)
		}
	})
	return flags, file
}
