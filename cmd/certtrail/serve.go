package main

import (
	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
)

func serveCommand() *cobra.Command {
	var readOnly bool
	var db string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the whole system: endpoints, log, read models, pages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := systems.Read(cmd.Flags())
			if err != nil {
				return err
			}
			c, err := s.Config()
			if err != nil {
				return err
			}
			if readOnly || db != "" {
				return node.ServeReadOnly(cmd.Context(), c, readOnly, db, cmd.ErrOrStderr(), cmd.OutOrStdout())
			}
			return node.Serve(cmd.Context(), c, cmd.ErrOrStderr(), func(sv *node.Server) { sv.Announce(cmd.OutOrStdout()) })
		},
	}
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "show the pages of one database, without a log and without taking deliveries; needs --db")
	cmd.Flags().StringVar(&db, "db", "", "the database to show with --read-only: what certtrail replay --out made")
	systems.AddSettings(cmd)
	return cmd
}
