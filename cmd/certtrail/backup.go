package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/aside"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

func backupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy the log and the settings to a new directory, and read the copy back",
		Long: "Copy the log, with its sequences, times and subscribers' consumers, and the settings file to DIR, which is made. The server may run.\n" +
			"The copy is then restored aside and read to its end, and every event compared with the log; that takes as much room again for the time. DIR holds credentials: keep it safe.",
		Args: wants(1, "a directory to make, for example: certtrail backup /var/backups/certtrail-monday"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if err := emptyDir(dir); err != nil {
				return err
			}
			owner, err := reachOwner(cmd, false)
			if err != nil {
				return err
			}
			defer owner.Close()
			b := &backup{owner: owner, far: newCounter(cmd.ErrOrStderr())}
			err = b.write(cmd.Context(), dir)
			b.far.clear()
			if err != nil {
				return fmt.Errorf("there is no backup: %w", err)
			}
			b.tell(cmd.ErrOrStderr(), args[0])
			return nil
		},
	}
	settings.AddOwnerSettings(cmd)
	return cmd
}

// backup is one backup in the making.
type backup struct {
	owner *owner.Client
	far   *counter
	m     manifest
}

// write makes the backup under another name beside dir, which it gets when it is whole and on the disk.
func (b *backup) write(ctx context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	beside, err := aside.Make(dir, true)
	if err != nil {
		return err
	}
	defer beside.Close() // its lock lasts until it has its name
	making := beside.Name()
	defer os.RemoveAll(making)
	if err := b.copyLog(ctx, filepath.Join(making, snapshotName)); err != nil {
		return err
	}
	settings, err := b.copySettings(ctx, filepath.Join(making, backupSettings))
	if err != nil {
		return err
	}
	if b.m.Stream, err = b.check(ctx, making); err != nil {
		return err
	}
	b.m.Format, b.m.Version, b.m.Time, b.m.Files = backupFormat, version.String(), schema.At(time.Now()), map[string]fileDigest{}
	for name, there := range map[string]bool{snapshotName: true, backupSettings: settings} {
		if there {
			if b.m.Files[name], err = digestFile(filepath.Join(making, name)); err != nil {
				return err
			}
		}
	}
	if err := b.m.write(making); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // it is empty
		return err
	}
	if err := os.Rename(making, dir); err != nil {
		return err
	}
	return aside.Sync(filepath.Dir(dir))
}

func (b *backup) copyLog(ctx context.Context, path string) error {
	size := 0
	return aside.Write(path, func(w io.Writer) error {
		return b.owner.Call(ctx, http.MethodGet, "/snapshot", nil, nil, func(line []byte) error {
			var piece node.SnapshotLine
			if err := json.Unmarshal(line, &piece); err != nil {
				return err
			}
			n, err := w.Write(piece.Snapshot)
			size += n
			b.far.show("copied %d MiB", size>>20)
			return err
		}, nil)
	})
}

// copySettings tells whether there is a settings file.
func (b *backup) copySettings(ctx context.Context, path string) (bool, error) {
	var s node.SettingsCopy
	if err := b.owner.Call(ctx, http.MethodGet, "/settings", nil, nil, nil, &s); err != nil || s.Path == "" {
		return false, err
	}
	return true, aside.Write(path, func(w io.Writer) error {
		_, err := w.Write(s.Content)
		return err
	})
}

// check restores the copy beside itself, reads it to its end, and compares it with the log: a copy of a damaged log would else pass for whole.
func (b *backup) check(ctx context.Context, making string) (streams.Summary, error) {
	snapshot, err := os.Open(filepath.Join(making, snapshotName))
	if err != nil {
		return streams.Summary{}, err
	}
	defer snapshot.Close()
	beside := filepath.Join(making, "check")
	b.far.show("reading the copy back")
	copied, err := streams.Restore(ctx, streams.Options{Dir: beside}, snapshot)
	if err != nil {
		return copied, fmt.Errorf("the copy cannot be read back: %w", err)
	}
	if err := os.RemoveAll(beside); err != nil {
		return copied, err
	}
	var live streams.Summary
	until := url.Values{"until": {strconv.FormatUint(copied.LastSeq, 10)}}
	err = b.owner.Call(ctx, http.MethodGet, "/summary", until, nil, func(line []byte) error {
		var events uint64
		if owner.ProgressOf(line, &events) {
			b.far.show("compared %s of %s", text.Commas(events), text.Count(copied.Events, "event"))
		}
		return nil
	}, &live)
	if err != nil {
		return copied, fmt.Errorf("the copy could not be compared with the log: %w", err)
	}
	if !live.Equal(copied) {
		return copied, fmt.Errorf("the copy is not what the log holds up to event %d: it has %s with the digest %.16s, the log %s with %.16s",
			copied.LastSeq, text.Count(copied.Events, "event"), copied.Digest, text.Count(live.Events, "event"), live.Digest)
	}
	return copied, nil
}

func (b *backup) tell(w io.Writer, dir string) {
	s := b.m.Stream
	fmt.Fprintf(w, "backed up %s, up to number %d, to %s\n", text.Count(s.Events, "event"), s.LastSeq, dir)
	fmt.Fprintf(w, "checked: the copy was restored aside and read to its end; each event is the log's\n")
	warnOfGaps(w, s.Gaps)
	if _, ok := b.m.Files[backupSettings]; ok {
		fmt.Fprintf(w, "the settings are in it, but not the environment, nor secrets that stand in files of their own\n")
	} else {
		fmt.Fprintf(w, "there is no settings file, so none is in it; settings from the environment are not in a backup\n")
	}
}
