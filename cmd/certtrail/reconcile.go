package main

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/progress"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/ask"
)

func reconcileCommand() *cobra.Command {
	var describe bool
	cmd := &cobra.Command{
		Use:   "reconcile PROVIDER",
		Short: "Ask a provider's API what certtrail missed, and append it",
		Long: "Ask a provider's API where its orders stand, and append the events whose deliveries were missed. The first reconcile of a provider brings in what exists there\n" +
			"already, as an import would: nothing outside acts on it. Where the provider lists orders by their number only, --describe then asks about each of them, at\n" +
			"the pace that the provider allows; that too counts as imported. It can be broken off, and goes on when it is run again.",
		Args: needs(1, "a provider, for example: certtrail reconcile digicert"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := reachOwner(cmd, true)
			if err != nil {
				return err
			}
			defer c.Close()
			var f ask.Found
			query := url.Values{"source": args}
			if describe {
				query.Set("describe", "true")
			}
			if err := c.Call(cmd.Context(), http.MethodPost, "/reconcile", query, nil, nil, &f); err != nil {
				return err
			}
			f.Tell(cmd.OutOrStdout())
			if !describe {
				return nil
			}
			var d ask.Described
			far := progress.NewCounter(cmd.ErrOrStderr())
			err = c.Call(cmd.Context(), http.MethodPost, "/describe", url.Values{"source": args}, nil, func(told []byte) {
				if json.Unmarshal(told, &d) == nil {
					far.Show("asked about %s", d)
				}
			}, &d)
			far.Clear()
			if err != nil {
				return err
			}
			d.Tell(cmd.OutOrStdout(), args[0])
			return nil
		},
	}
	cmd.Flags().BoolVar(&describe, "describe", false, "then ask about each order that is known by number only")
	settings.AddOwnerSettings(cmd)
	return cmd
}
