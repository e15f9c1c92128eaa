package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/crash"
)

func watchCrashCommand() *cobra.Command {
	return &cobra.Command{
		Use: crash.Command + " DIRECTORY", Short: "Wait for the end of certtrail serve, and say why it crashed if it did", Hidden: true,
		Args: needs(1, "the data directory; only certtrail serve starts it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return crash.Wait(args[0], cmd.InOrStdin(), os.NewFile(3, crash.RunningFile), cmd.ErrOrStderr())
		},
	}
}
