// Command certtrail is an event-sourced tracker of the lifecycle of certificates: it takes the webhooks of certificate authorities, keeps them
// in a log, and shows what became of each order, certificate, domain validation and DNSSEC rotation.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/certtrail/certtrail/ingest/defguard"
	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/probely"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/sectigo"
	"github.com/certtrail/certtrail/ingest/xolphin"
)

// systems are the kinds of providers that this program serves, one line each.
var systems = []provider.System{
	digicert.System,
	sectigo.System,
	xolphin.System,
	defguard.System,
	probely.System,
}

func main() { os.Exit(run(os.Args[1:])) }

// run is the program: its exit status is 0, or 1 after an error, which stands on standard error as a sentence.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	root := rootCommand()
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "certtrail:", err)
		return 1
	}
	return 0
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "certtrail",
		Short:         "Track the lifecycle of certificates over several certificate authorities",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs, // so that a command that is misspelt is an error
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(initCommand(), serveCommand(), demoCommand(), sendCommand(), replayCommand(), reconcileCommand(), exportCommand(), importCommand(), backupCommand(), restoreCommand(),
		tailCommand(), forgetCommand(), logCommand(), versionCommand(), watchCrashCommand())
	root.AddCommand(providerCommands()...)
	root.SetVersionTemplate("certtrail {{.Version}}\n") // as the command version prints it
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	return root
}

// flagError says in plain words what a flag wants; an error of any other sort stays as it is.
func flagError(err error) error {
	var wrong *pflag.InvalidValueError
	if !errors.As(err, &wrong) {
		return err
	}
	wants := map[string]string{
		"uint64": "a whole number that is not negative", "int": "a whole number", "bool": "true or false", "duration": "a time with its unit, such as 10s or 6h",
	}[wrong.GetFlag().Value.Type()]
	if wants == "" {
		return err
	}
	return fmt.Errorf("--%s wants %s, not %q", wrong.GetFlag().Name, wants, wrong.GetValue())
}

// wants refuses any other number of arguments than n, in words: what the command wants, with an example.
func wants(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%s wants %s", strings.TrimPrefix(cmd.CommandPath(), "certtrail "), what)
		}
		return nil
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "certtrail", version()) },
	}
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
