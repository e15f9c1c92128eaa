package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/progress"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/streams/transfer"
)

func importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Append the events of an export that the log does not have yet",
		Long: "Append the events of JSON Lines of CloudEvents, as export writes them, in their order and with their ids. FILE may be -, for standard input.\n" +
			"What the log has already is passed over, so an import that broke off is simply run again. Nothing outside acts on imported events.",
		Args: needs(1, "a file that export wrote, or - for standard input, for example: certtrail import events.jsonl"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, name := cmd.InOrStdin(), "standard input"
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("couldn't read the events: %w", err)
				}
				defer f.Close()
				if info, err := f.Stat(); err == nil && info.IsDir() {
					return fmt.Errorf("couldn't read the events: %s is a directory. Name a file that export wrote; a backup's directory is brought back by certtrail restore", args[0])
				}
				from, name = f, args[0]
			}
			server, err := reachOwner(cmd, true)
			if err != nil {
				return err
			}
			defer server.Close()
			var n transfer.Imported
			body := io.NopCloser(from) // the request must not close standard input
			far := progress.NewCounter(cmd.ErrOrStderr())
			err = server.Call(cmd.Context(), http.MethodPost, "/import", url.Values{"name": {name}}, body, func(told []byte) {
				if json.Unmarshal(told, &n) == nil {
					far.Show("imported %s", n)
				}
			}, &n)
			far.Clear()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "imported %s\n", n)
			return nil
		},
	}
	settings.AddOwnerSettings(cmd)
	return cmd
}
