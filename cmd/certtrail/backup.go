package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/progress"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/transfer"
)

func backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy the log and the settings to a new directory, and read the copy back",
		Long: "Copy the log, with its sequences, times and subscribers' consumers, and the settings file to DIR, which is made. The server may run.\n" +
			"The copy is then restored aside and read to its end, and every event compared with the log; that takes as much room again for the time. DIR holds credentials: keep it safe.",
		Args: needs(1, "a directory to create, for example: certtrail backup /var/backups/certtrail-monday"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if err := transfer.CheckEmpty(dir); err != nil {
				return err
			}
			owner, err := reachOwner(cmd, false)
			if err != nil {
				return err
			}
			defer owner.Close()
			b := &backupSource{owner: owner, far: progress.NewCounter(cmd.ErrOrStderr())}
			m, err := transfer.Backup(cmd.Context(), dir, version.String(), b, b.restore)
			b.far.Clear()
			if err != nil {
				return fmt.Errorf("there is no backup: %w", err)
			}
			printBackup(cmd.ErrOrStderr(), m, args[0])
			return nil
		},
	}
	settings.AddOwnerSettings(cmd)
	return cmd
}

// backupSource gives a backup what the owner of the data directory has, and shows how far it is.
type backupSource struct {
	owner *owner.Client
	far   *progress.Counter
}

// Snapshot writes the log's snapshot to w.
func (b *backupSource) Snapshot(ctx context.Context, w io.Writer) error {
	return b.owner.Stream(ctx, "/snapshot", nil, func(snapshot io.Reader) error {
		_, err := io.Copy(w, &countedReader{snapshot, 0, func(n int64) { b.far.Show("copied %d MiB", n>>20) }})
		return err
	}, nil)
}

// countedReader tells after each read how many bytes have been read.
type countedReader struct {
	io.Reader
	n    int64
	show func(n int64)
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	c.show(c.n)
	return n, err
}

// Settings returns the settings file that the owner was started with.
func (b *backupSource) Settings(ctx context.Context) (content []byte, ok bool, err error) {
	var path string
	err = b.owner.Stream(ctx, "/settings", nil, func(file io.Reader) error {
		content, err = io.ReadAll(file)
		return err
	}, &path)
	return content, path != "", err
}

// Summary returns what the log holds up to the last sequence of the copy.
func (b *backupSource) Summary(ctx context.Context, copied transfer.Summary) (s transfer.Summary, err error) {
	until := url.Values{"until": {strconv.FormatUint(copied.LastSeq, 10)}}
	err = b.owner.Call(ctx, http.MethodGet, "/summary", until, nil, func(told []byte) {
		var events uint64
		if json.Unmarshal(told, &events) == nil {
			b.far.Show("compared %s of %s", text.Commas(events), text.Count(copied.Events, "event"))
		}
	}, &s)
	return s, err
}

// restore reads the copy back.
func (b *backupSource) restore(ctx context.Context, dir string, snapshot io.Reader) (transfer.Summary, error) {
	b.far.Show("reading the copy back")
	return node.RestoreSnapshot(ctx, embedded.Options{Dir: dir}, snapshot)
}

func printBackup(w io.Writer, m *transfer.Manifest, dir string) {
	s := m.Stream
	fmt.Fprintf(w, "backed up %s, up to number %d, to %s\n", text.Count(s.Events, "event"), s.LastSeq, dir)
	fmt.Fprintf(w, "checked: the copy was restored aside and read to its end; each event is the log's\n")
	warnOfGaps(w, s.Gaps)
	if m.HasSettings() {
		fmt.Fprintf(w, "the settings are in it, but not the environment, nor secrets that stand in files of their own\n")
	} else {
		fmt.Fprintf(w, "there is no settings file, so none is in it; settings from the environment are not in a backup\n")
	}
}
