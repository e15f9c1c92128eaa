package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
)

func initCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write certtrail.yaml with a fresh credential for every provider, and say where to enter each",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, _ := settings.ConfigPath(cmd.Flags())
			if _, err := os.Lstat(path); err == nil {
				return fmt.Errorf("%s is there already and is never overwritten: edit it, or move it away", path)
			}
			s, err := systems.Initial(cmd.Flags())
			if err != nil {
				return err
			}
			if err := s.Write(path); err != nil {
				return err
			}
			s.Explain(cmd.OutOrStdout(), path)
			return nil
		},
	}
	systems.AddSettings(cmd)
	return cmd
}
