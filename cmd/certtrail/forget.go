package main

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/progress"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
)

func forgetCommand() *cobra.Command {
	user := &cobra.Command{
		Use:   "user SOURCE NAME",
		Short: "Destroy the key of a user, so that nobody can read what the log holds of them",
		Long: `Destroy the key of a user of Defguard or Probely, and rebuild the read models without what it sealed. NAME is their username (Defguard), their id or
else their e-mail address (Probely), or the id that certtrail shows; of who decided about a matter, the name they gave, with SOURCE web. This cannot be undone.

The log stays as it is, and so do its backups and exports: what they hold of the person cannot be read any more, anywhere. What the source said without
saying whom of goes with it. Copies of the directory keys, and databases made with replay --out, are yours to remove.`,
		Args: needs(2, "a source and a name, for example: certtrail forget user defguard jdoe"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := reachOwner(cmd, false)
			if err != nil {
				return err
			}
			defer c.Close()
			bar := progress.NewBar(cmd.ErrOrStderr())
			var b node.Built
			err = c.Call(cmd.Context(), http.MethodPost, "/forget", url.Values{"source": {args[0]}, "name": {args[1]}}, nil, bar.Take, &b)
			bar.Clear()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The user's key is destroyed. The read models were rebuilt from %s events without them.\n", text.Commas(b.Seq))
			return nil
		},
	}
	settings.AddOwnerSettings(user)
	return group("forget", "Erase a person's data", user)
}
