package main

import (
	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	var readOnly bool
	var db string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the whole system: endpoints, log, read models, pages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := systems.read(cmd.Flags())
			if err != nil {
				return err
			}
			c, err := s.config()
			if err != nil {
				return err
			}
			if readOnly || db != "" {
				return serveReadOnly(cmd.Context(), c, readOnly, db, cmd.ErrOrStderr(), cmd.OutOrStdout())
			}
			return serve(cmd.Context(), c, cmd.ErrOrStderr(), func(sv *serverProcess) { sv.announce(cmd.OutOrStdout()) })
		},
	}
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "show the pages of one database, without a log and without taking deliveries; needs --db")
	cmd.Flags().StringVar(&db, "db", "", "the database to show with --read-only: what certtrail replay --out made")
	systems.addSettings(cmd)
	return cmd
}
