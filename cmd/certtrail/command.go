package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
)

// reachOwner speaks to the process that has the data directory, or else makes this one its owner. Unless create is set,
// there must be a log in it.
func reachOwner(cmd *cobra.Command, create bool) (*owner.Client, error) {
	c, err := configOf(cmd)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(node.LogDir(c.DataDir)); err != nil && !create {
		return nil, fmt.Errorf("there is no log in the data directory %s: name another with --data-dir (%w)", c.DataDir, err)
	}
	return node.Reach(cmd.Context(), c, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: c.LogLevel})))
}

// configOf reads the settings of a command.
func configOf(cmd *cobra.Command) (*settings.Config, error) {
	s, err := systems.Read(cmd.Flags())
	if err != nil {
		return nil, err
	}
	return s.Config()
}

// needs refuses any other number of arguments than n, in words: what the command needs, with an example.
func needs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%s needs %s", strings.TrimPrefix(cmd.CommandPath(), "certtrail "), what)
		}
		return nil
	}
}
