package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

func initCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write certtrail.yaml with a fresh credential for every provider, and say where to enter each",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, _ := configPath(cmd.Flags())
			if _, err := os.Lstat(path); err == nil {
				return fmt.Errorf("%s is there already and is never overwritten: edit it, or move it away", path)
			}
			s, err := systems.initial(cmd.Flags())
			if err != nil {
				return err
			}
			if err := s.write(path); err != nil {
				return err
			}
			s.explain(cmd.OutOrStdout(), path)
			return nil
		},
	}
	systems.addSettings(cmd)
	return cmd
}
