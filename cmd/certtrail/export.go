package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/progress"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/streams/transfer"
)

func exportCommand() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write the log as JSON Lines of CloudEvents",
		Long: "Write the log as JSON Lines: each line is one CloudEvent, byte for byte as it is stored, in the log's order, with its checksum at its end.\n" +
			"Without FILE, or with -, the lines go to standard output. A file appears when it is complete, and has mode 0600, for it holds all there is to know.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "-"
			if len(args) > 0 {
				path = args[0]
			}
			if _, err := os.Lstat(path); err == nil && path != "-" && !force {
				return fmt.Errorf("%s is there already: choose another name, or say --force to replace it", path)
			}
			server, err := reachOwner(cmd, false)
			if err != nil {
				return err
			}
			defer server.Close()
			far := progress.NewCounter(cmd.ErrOrStderr())
			var x *transfer.Export
			if path == "-" {
				x, err = export(cmd.Context(), server, cmd.OutOrStdout(), far)
			} else {
				err = transfer.WriteWhole(path, func(w io.Writer) (err error) {
					x, err = export(cmd.Context(), server, w, far)
					return err
				})
			}
			far.Clear()
			if err != nil {
				return fmt.Errorf("the export is not complete: %w", err)
			}
			warnOfGaps(cmd.ErrOrStderr(), x.Gaps())
			fmt.Fprintf(cmd.ErrOrStderr(), "exported %s\n", text.Count(x.Events(), "event"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	settings.AddOwnerSettings(cmd)
	return cmd
}

// export writes the events of the log to w.
func export(ctx context.Context, server *owner.Client, w io.Writer, far *progress.Counter) (*transfer.Export, error) {
	x := transfer.NewExport(w)
	var end node.EventsEnd
	err := server.Stream(ctx, "/events", nil, func(events io.Reader) error {
		return owner.ReadEvents(events, func(e owner.Event) error {
			far.Show("exported %s", text.Commas(x.Events()))
			return x.Add(e.Seq, e.Data)
		})
	}, &end)
	return x, errors.Join(err, x.End(end.Last))
}
