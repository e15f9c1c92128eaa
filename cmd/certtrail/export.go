package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/projections/words"
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
			owner, err := reachOwner(cmd, false)
			if err != nil {
				return err
			}
			defer owner.close()
			x := &export{far: newCounter(cmd.ErrOrStderr())}
			if path == "-" {
				err = x.write(cmd.Context(), owner, cmd.OutOrStdout())
			} else {
				err = writeWhole(path, func(w io.Writer) error { return x.write(cmd.Context(), owner, w) })
			}
			x.far.clear()
			if err != nil {
				return fmt.Errorf("the export is not complete: %w", err)
			}
			warnOfGaps(cmd.ErrOrStderr(), x.gaps)
			fmt.Fprintf(cmd.ErrOrStderr(), "exported %s\n", words.Count(x.events, "event"))
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	addOwnerSettings(cmd)
	return cmd
}

// export is one export, and what came of it.
type export struct {
	events uint64
	gaps   []schema.Gap
	far    *counter
}

func (x *export) write(ctx context.Context, owner *control, to io.Writer) error {
	w := bufio.NewWriterSize(to, 256<<10)
	at := uint64(0)
	skip := func(next uint64) {
		if next > at+1 {
			x.gaps = append(x.gaps, schema.Gap{First: at + 1, Last: next - 1})
		}
	}
	var end eventsEnd
	err := owner.call(ctx, http.MethodGet, "/events", nil, nil, func(line []byte) error {
		e, err := readStreamed(line)
		if err != nil {
			return err
		}
		skip(e.Seq)
		at = e.Seq
		x.events++
		x.far.show("exported %s", words.Number(x.events))
		_, err = w.Write(append(addChecksum(w.AvailableBuffer(), e.event), '\n'))
		return err
	}, &end)
	skip(end.Last + 1)
	return errors.Join(err, w.Flush())
}

// writeWhole writes a file that appears when it is complete and on the disk, and only for its owner to read.
func writeWhole(path string, write func(io.Writer) error) error {
	f, err := makeAside(path, false)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close() // its lock lasts until it has its name
	if err := errors.Join(write(f), f.Sync()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("couldn't write %s: %w", path, err)
	}
	return syncPath(filepath.Dir(path))
}

// syncPath makes a file, or the names in a directory, durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, fs.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
