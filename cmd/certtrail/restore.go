package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/version"
	"github.com/certtrail/certtrail/streams/transfer"
)

func restoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore DIR",
		Short: "Put the log and the settings of a backup into a data directory that has no events",
		Long: "Put the log of the backup in DIR into the data directory, which must have no events yet; a server that runs on it takes the log over.\n" +
			"The settings are put where --config says (default ./" + settings.DefaultFile + "), unless there are some.",
		Args: needs(1, "the directory of a backup, for example: certtrail restore /var/backups/certtrail-monday"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := transfer.ReadManifest(args[0], version.String())
			if err != nil {
				return err
			}
			config, _ := settings.ConfigPath(cmd.Flags())
			s, err := systems.ReadFrom(cmd.Flags(), config, false)
			if err != nil {
				return err
			}
			c, err := s.Config()
			if err != nil {
				return err
			}
			snapshot, err := transfer.OpenSnapshot(args[0])
			if err != nil {
				return err
			}
			defer snapshot.Close()
			logger := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: c.LogLevel}))
			if err := restoreLog(cmd.Context(), c, logger, m, snapshot); err != nil {
				return fmt.Errorf("nothing was restored: %w", err)
			}
			w := cmd.ErrOrStderr()
			fmt.Fprintf(w, "restored %s, up to number %d, to %s\n", text.Count(m.Stream.Events, "event"), m.Stream.LastSeq, c.DataDir)
			warnOfGaps(w, m.Stream.Gaps)
			return restoreSettings(config, w, m, args[0], c.DataDir)
		},
	}
	settings.AddOwnerSettings(cmd)
	return cmd
}

// restoreLog restores into the data directory, or has the server do it that runs on it.
func restoreLog(ctx context.Context, c *settings.Config, logger *slog.Logger, m *transfer.Manifest, snapshot io.Reader) error {
	release, locked := owner.Lock(c.DataDir)
	if errors.Is(locked, owner.ErrInUse) {
		server, _, err := owner.Find(ctx, c.DataDir)
		if err != nil {
			return fmt.Errorf("%w, which does not answer on %s: %w", locked, owner.SocketName, err)
		}
		defer server.Close()
		want, err := json.Marshal(m.Stream)
		if err != nil {
			return err
		}
		return server.Call(ctx, http.MethodPost, "/restore", url.Values{"stream": {string(want)}}, io.NopCloser(snapshot), nil, nil)
	}
	if locked != nil {
		return locked
	}
	defer release()
	if err := node.WithoutEvents(ctx, c, logger); err != nil {
		return err
	}
	prepared, err := node.PrepareLog(ctx, c, snapshot, m.Stream, logger)
	if err != nil {
		return err
	}
	return node.InstallLog(c.DataDir, prepared)
}

// restoreSettings puts the backup's settings in their place, unless there are some.
func restoreSettings(path string, w io.Writer, m *transfer.Manifest, dir, dataDir string) error {
	if !m.HasSettings() {
		fmt.Fprintf(w, "the backup has no settings\n")
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		fmt.Fprintf(w, "kept the settings in %s; those of the backup are in %s\n", path, transfer.SettingsPath(dir))
		return nil
	}
	if err := m.RestoreSettings(dir, path); err != nil {
		return fmt.Errorf("the log is restored, but the settings are not: %w", err)
	}
	fmt.Fprintf(w, "wrote the settings to %s\n", path)
	if f, err := systems.ReadFile(path); err == nil && f.Values["data-dir"] != "" && filepath.Clean(f.Values["data-dir"]) != filepath.Clean(dataDir) {
		fmt.Fprintf(w, "warning: they name the data directory %s, but the log was restored to %s: change one of the two\n", f.Values["data-dir"], dataDir)
	}
	return nil
}
