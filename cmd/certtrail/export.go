package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/aside"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/schema"
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
			x := &export{far: newCounter(cmd.ErrOrStderr())}
			if path == "-" {
				err = x.write(cmd.Context(), server, cmd.OutOrStdout())
			} else {
				err = aside.Write(path, func(w io.Writer) error { return x.write(cmd.Context(), server, w) })
			}
			x.far.clear()
			if err != nil {
				return fmt.Errorf("the export is not complete: %w", err)
			}
			warnOfGaps(cmd.ErrOrStderr(), x.gaps)
			fmt.Fprintf(cmd.ErrOrStderr(), "exported %s\n", text.Count(x.events, "event"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	settings.AddOwnerSettings(cmd)
	return cmd
}

// export is one export, and what came of it.
type export struct {
	events uint64
	gaps   []schema.Gap
	far    *counter
}

func (x *export) write(ctx context.Context, server *owner.Client, to io.Writer) error {
	w := bufio.NewWriterSize(to, 256<<10)
	at := uint64(0)
	skip := func(next uint64) {
		if next > at+1 {
			x.gaps = append(x.gaps, schema.Gap{First: at + 1, Last: next - 1})
		}
	}
	var end node.EventsEnd
	err := server.Call(ctx, http.MethodGet, "/events", nil, nil, func(line []byte) error {
		e, err := owner.ReadStreamed(line)
		if err != nil {
			return err
		}
		skip(e.Seq)
		at = e.Seq
		x.events++
		x.far.show("exported %s", text.Commas(x.events))
		_, err = w.Write(append(node.AddChecksum(w.AvailableBuffer(), e.Data), '\n'))
		return err
	}, &end)
	skip(end.Last + 1)
	return errors.Join(err, w.Flush())
}
