package config_test

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/holdfast-run/holdfast/config"
)

func ExampleLoad() {
	flags := pflag.NewFlagSet("holdfast", pflag.ContinueOnError)
	config.Flags(flags)
	if err := flags.Parse([]string{"--section-deadline", "2s"}); err != nil {
		fmt.Println(err)
		return
	}
	cfg, err := config.Load(config.Source{Flags: flags, Environ: []string{"HOLDFAST_LOG_LEVEL=debug"}})
	fmt.Println(cfg.Section.Deadline, cfg.Log.Level, err)
	// Output: 2s DEBUG <nil>
}

func ExampleLoad_problems() {
	_, err := config.Load(config.Source{Environ: []string{
		"HOLDFAST_TEMPORAL_ADDRESS=foo",
		"HOLDFAST_STARTER_SESSION_KEY=hunter2",
		"HOLDFAST_LOGLEVEL=debug",
	}})
	fmt.Println(err)
	// Output:
	// config: HOLDFAST_LOGLEVEL: no such setting; did you mean HOLDFAST_LOG_LEVEL? (from the environment)
	// config: temporal.address: "foo" is not host:port, or empty (from HOLDFAST_TEMPORAL_ADDRESS)
	// config: starter.session_key: the value (not shown) is not a text of at least 32 characters, such as 32 random bytes in base64, or empty (from HOLDFAST_STARTER_SESSION_KEY)
}
