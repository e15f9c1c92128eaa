package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/streams"
)

func restoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore DIR",
		Short: "Put the log and the settings of a backup into a data directory that has no events",
		Long: "Put the log of the backup in DIR into the data directory, which must have no events yet; a server that runs on it takes the log over.\n" +
			"The settings are put where --config says (default ./" + defaultConfig + "), unless there are some.",
		Args: wants(1, "the directory of a backup, for example: certtrail restore /var/backups/certtrail-monday"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := readManifest(args[0])
			if err != nil {
				return err
			}
			config, _ := configPath(cmd.Flags())
			s, err := readSettingsFrom(cmd.Flags(), config, false)
			if err != nil {
				return err
			}
			c, err := s.config()
			if err != nil {
				return err
			}
			snapshot, err := os.Open(filepath.Join(args[0], snapshotName))
			if err != nil {
				return err
			}
			defer snapshot.Close()
			logger := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: c.logLevel}))
			if err := restoreLog(cmd.Context(), c, logger, m, snapshot); err != nil {
				return fmt.Errorf("nothing was restored: %w", err)
			}
			w := cmd.ErrOrStderr()
			fmt.Fprintf(w, "restored %s, up to number %d, to %s\n", words.Count(m.Stream.Events, "event"), m.Stream.LastSeq, c.dataDir)
			warnOfGaps(w, m.Stream.Gaps)
			return restoreSettings(config, w, m, args[0], c.dataDir)
		},
	}
	addOwnerSettings(cmd)
	return cmd
}

// restoreLog restores into the data directory, or has the server do it that runs on it.
func restoreLog(ctx context.Context, c *config, logger *slog.Logger, m *manifest, snapshot io.Reader) error {
	release, locked := lockDir(c.dataDir)
	if errors.Is(locked, errInUse) {
		owner, _, err := findOwner(ctx, c.dataDir)
		if err != nil {
			return fmt.Errorf("%w, which does not answer on %s: %w", locked, controlName, err)
		}
		defer owner.close()
		want, err := json.Marshal(m.Stream)
		if err != nil {
			return err
		}
		return owner.call(ctx, http.MethodPost, "/restore", url.Values{"stream": {string(want)}}, io.NopCloser(snapshot), nil, nil)
	}
	if locked != nil {
		return locked
	}
	defer release()
	if err := withoutEvents(ctx, c, logger); err != nil {
		return err
	}
	prepared, err := prepareLog(ctx, c, snapshot, m.Stream, logger)
	if err != nil {
		return err
	}
	return installLog(c.dataDir, prepared)
}

// withoutEvents makes sure that the data directory has no events. Nobody may have its log open.
func withoutEvents(ctx context.Context, c *config, logger *slog.Logger) error {
	dir := logDir(c.dataDir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	report, err := streams.Check(ctx, streams.Options{Dir: dir, Always: c.syncAlways, Logger: logger})
	if err != nil {
		return err
	}
	return isEmpty(report, dir)
}

// isEmpty makes sure that the log in dir has no events, and nothing that may have been some.
func isEmpty(report *streams.Report, dir string) error {
	if len(report.Damage) > 0 {
		return fmt.Errorf("%s is damaged, and may hold events: a backup goes into a data directory without any; name another with --data-dir, or move %s away", report.Damage[0].File, dir)
	}
	if report.Events > 0 {
		return fmt.Errorf("the log in %s has events, up to number %d: a backup goes into a data directory without any; name another with --data-dir, or move %s away", dir, report.Last, dir)
	}
	return nil
}

func (o *owner) withoutEvents(ctx context.Context) error {
	report, err := o.log.Check(ctx, nil)
	if err != nil {
		return err
	}
	return isEmpty(report, logDir(o.c.dataDir))
}

// preparedName begins the name of a log that is to be installed, and of what a crash left of one.
const preparedName = "nats.restoring-"

// prepareLog restores a snapshot into a directory beside the log, and makes sure that it holds what the backup's manifest says. The caller owns that directory.
func prepareLog(ctx context.Context, c *config, snapshot io.Reader, want streams.Summary, logger *slog.Logger) (prepared string, err error) {
	removeLeftInside(c.dataDir) // of one that failed
	outer, err := os.MkdirTemp(c.dataDir, preparedName)
	if err != nil {
		return "", err
	}
	prepared = filepath.Join(outer, "nats")
	// max-bytes is not for it: the backup may hold more than this log is to grow to.
	got, err := streams.Restore(ctx, streams.Options{Dir: prepared, Always: c.syncAlways, Logger: logger}, snapshot)
	if err == nil && !got.Equal(want) {
		err = fmt.Errorf("the restored log has %s up to number %d with the digest %.16s; the backup's manifest says %s up to %d with %.16s",
			words.Count(got.Events, "event"), got.LastSeq, got.Digest, words.Count(want.Events, "event"), want.LastSeq, want.Digest)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(outer))
	}
	return prepared, nil
}

// installLog puts a prepared log, which is durable, in the place of one without events. A crash leaves no log, or the whole one.
func installLog(dataDir, prepared string) error {
	dir := logDir(dataDir)
	err := forgetAsked(dataDir)
	if err == nil {
		err = streams.Remove(dir)
	}
	if err == nil {
		err = os.Rename(prepared, dir)
	}
	if err == nil {
		err = syncPath(dataDir)
	}
	if err != nil {
		return fmt.Errorf("couldn't put the restored log in its place: %w", err)
	}
	return os.RemoveAll(filepath.Dir(prepared))
}

// restore is the route that exchanges a log without events for the one of a backup.
func (o *owner) restore(ctx context.Context, _ *answer, r *http.Request) (any, error) {
	if o.replace == nil {
		return nil, fmt.Errorf("process %d works on the data directory: try again when it has ended", os.Getpid())
	}
	var want streams.Summary
	if err := json.Unmarshal([]byte(r.URL.Query().Get("stream")), &want); err != nil {
		return nil, fmt.Errorf("the request doesn't say what the backup holds: %w", err)
	}
	if !o.importing.TryLock() {
		return nil, errors.New("an import is under way: try again when it has ended")
	}
	defer o.importing.Unlock()
	prepare := o.during(func(ctx context.Context, _ *answer, r *http.Request) (any, error) {
		if err := o.withoutEvents(ctx); err != nil {
			return nil, err
		}
		return prepareLog(ctx, o.c, r.Body, want, o.logger)
	})
	prepared, err := prepare(ctx, nil, r)
	if err != nil {
		return nil, err
	}
	return struct{}{}, o.replace(ctx, prepared.(string))
}

// restoreSettings puts the backup's settings in their place, unless there are some.
func restoreSettings(path string, w io.Writer, m *manifest, dir, dataDir string) error {
	if _, ok := m.Files[backupSettings]; !ok {
		fmt.Fprintf(w, "the backup has no settings\n")
		return nil
	}
	from := filepath.Join(dir, backupSettings)
	if _, err := os.Lstat(path); err == nil {
		fmt.Fprintf(w, "kept the settings in %s; those of the backup are in %s\n", path, from)
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("the log is restored, but the settings are not: %w", err)
	}
	if err := writeWhole(path, func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
		return fmt.Errorf("the log is restored, but the settings are not: %w", err)
	}
	fmt.Fprintf(w, "wrote the settings to %s\n", path)
	if f, err := readFile(path); err == nil && f.values["data-dir"] != "" && filepath.Clean(f.values["data-dir"]) != filepath.Clean(dataDir) {
		fmt.Fprintf(w, "warning: they name the data directory %s, but the log was restored to %s: change one of the two\n", f.values["data-dir"], dataDir)
	}
	return nil
}
