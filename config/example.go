package config

import (
	"fmt"
	"strings"
)

// exampleHead explains the file to who has nothing else at hand.
const exampleHead = `# Every setting of Holdfast with its default. Copy this file to holdfast.yaml, which is read from the working
# directory, or name it with --config or HOLDFAST_CONFIG; leave out what you do not change.
#
# A setting is looked for as a flag (--log-level), then in the environment (HOLDFAST_LOG_LEVEL), then in the file.
# An unknown key and a bad value stop the program at start-up with the key's name.
`

// ExampleFile returns the text of holdfast.example.yaml: every key with its meaning and its default, in the order of [Keys].
func ExampleFile() string {
	var b strings.Builder
	b.WriteString(exampleHead)
	section := ""
	for _, k := range Keys() {
		if k.Section() != section {
			section = k.Section()
			fmt.Fprintf(&b, "\n%s:\n", section)
		}
		fmt.Fprintf(&b, "  # %s.\n  # Takes %s\n", capital(k.Doc), k.Expected)
		fmt.Fprintf(&b, "  %s: %s\n", strings.TrimPrefix(k.Name, section+"."), k.yaml())
	}
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// yaml is the default as the file has it.
func (k Key) yaml() string {
	switch {
	case k.Type == typeList:
		return "[" + k.Default + "]"
	case k.Default == "":
		return `""`
	}
	return k.Default
}
