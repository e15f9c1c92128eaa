// Command certtrail is an event-sourced tracker of the lifecycle of certificates: it takes the webhooks of certificate
// authorities, keeps them in a log, and shows what became of each order, certificate, domain validation and DNSSEC
// rotation.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
	"github.com/certtrail/certtrail/ingest/defguard"
	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/probely"
	"github.com/certtrail/certtrail/ingest/sectigo"
	"github.com/certtrail/certtrail/ingest/xolphin"
)

// systems lists the kinds of providers that this program serves, one line each.
var systems = settings.Systems{
	digicert.System,
	sectigo.System,
	xolphin.System,
	defguard.System,
	probely.System,
}

func main() { os.Exit(run(os.Args[1:])) }

// run runs the program: its exit status is 0, or 1 after an error, which stands on standard error as a sentence.
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
		Version:       version.String(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noCommand, // so that a command that is misspelt is an error
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(initCommand(), serveCommand(), demoCommand(), sendCommand(), replayCommand(), reconcileCommand(), exportCommand(), importCommand(), backupCommand(), restoreCommand(),
		tailCommand(), forgetCommand(), logCommand(), versionCommand(), watchCrashCommand())
	root.AddCommand(providerCommands()...)
	root.SetVersionTemplate("certtrail {{.Version}}\n") // as the command version prints it
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usage)
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "certtrail", version.String()) },
	}
}
