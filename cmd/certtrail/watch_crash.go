package main

import (
	"os"

	"github.com/spf13/cobra"
)

func watchCrashCommand() *cobra.Command {
	return &cobra.Command{
		Use: watchCrashName + " DIRECTORY", Short: "Wait for the end of certtrail serve, and say why it crashed if it did", Hidden: true,
		Args: wants(1, "the data directory; only certtrail serve starts it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return waitForCrash(args[0], cmd.InOrStdin(), os.NewFile(3, runningFile), cmd.ErrOrStderr())
		},
	}
}
