package command

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *Program) version() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which version this is", Args: cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintf(c.OutOrStdout(), "%s %s, %s %s/%s\n", p.Name, buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}

// stamped is the version that the image's build gives with -ldflags "-X …/cmd/command.stamped=…", for it has no repository to read it from.
// Only the linker changes it.
var stamped = ""

// buildVersion is what was stamped, or what the go command has put into the program.
func buildVersion() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(of unknown version)"
	}
	return info.Main.Version
}
