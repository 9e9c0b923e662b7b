package allinone

import (
	"bytes"
	"io"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

func TestConfigureTellsWhatIsWrong(t *testing.T) {
	t.Chdir(t.TempDir())
	cases := map[string]struct {
		args, environ []string
		want          string
	}{
		"an argument":         {args: []string{"counter"}, want: `unexpected argument "counter"`},
		"an unknown flag":     {args: []string{"--colour"}, want: "unknown flag: --colour"},
		"a mistyped flag":     {args: []string{"--ephemerel"}, want: "did you mean --ephemeral?"},
		"a bad flag":          {args: []string{"--section-deadline", "soon"}, want: "section-deadline"},
		"a bad variable":      {environ: []string{"HOLDFAST_SECTION_DEADLINE=soon"}, want: "HOLDFAST_SECTION_DEADLINE"},
		"an unknown variable": {environ: []string{"HOLDFAST_SECTION_DEATHLINE=1s"}, want: "HOLDFAST_SECTION_DEATHLINE"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := configure(c.args, c.environ, io.Discard)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestHelpListsTheFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	var out bytes.Buffer
	_, _, err := configure([]string{"--help"}, nil, &out)
	require.ErrorIs(t, err, pflag.ErrHelp)
	for _, flag := range []string{"--ephemeral", "--directory", "--starter-address", "--ui-port", "--section-deadline"} {
		require.Contains(t, out.String(), flag)
	}
}
