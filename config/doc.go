// Package config is what a Holdfast program can be told from outside: one typed [Config], read once at start-up.
//
// A value is looked for in four places, and the last one that has it wins:
//
//  1. the default;
//  2. the file holdfast.yaml of the working directory, or the one named by --config or HOLDFAST_CONFIG;
//  3. the environment, HOLDFAST_ and the key in capitals with dots as underscores: HOLDFAST_TEMPORAL_TASK_QUEUE;
//  4. a flag, the key with dots and underscores as hyphens: --temporal-task-queue. The keys under dev are the flags of
//     one small program and go without their prefix: --ephemeral.
//
// A program registers the flags with [Flags], parses them, and calls [Load]:
//
//	flags := pflag.NewFlagSet("holdfast", pflag.ContinueOnError)
//	config.Flags(flags)
//	if err := flags.Parse(os.Args[1:]); err != nil { … }
//	cfg, err := config.Load(config.Source{Flags: flags, Environ: os.Environ()})
//
// Nothing is guessed. A key that does not exist, in the file or as a HOLDFAST_ variable, and a value that is not what its
// key expects are errors, all reported at once, each with the key, the value and where it was found:
//
//	config: temporal.address: "foo" is not host:port (from HOLDFAST_TEMPORAL_ADDRESS)
//
// Some variables are left alone: an empty one counts as absent, those that begin with HOLDFAST_TEST_ belong to the tests,
// and the address variables that Kubernetes and Docker links set for a service named holdfast are recognised by their form.
//
// A secret is a [Secret], which prints as "[secret]" wherever it is printed. It has no flag, since a command line can be read
// by every user of the machine, and its value appears in no error.
//
// The keys stand in one table, [Keys]; flags, variables, the example file and the reference are derived from it. There is no
// global state: two loads do not know of each other, and all of it is safe for concurrent use.
package config
