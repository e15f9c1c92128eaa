package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// preparedPrefix begins the name of a log that is to be installed, and of what a crash left of one.
const preparedPrefix = "nats.restoring-"

// Prepare restores a snapshot into a directory beside the log in dataDir, whose lock the process must hold, and makes
// sure that it holds what the backup's manifest says. The caller owns the directory that it returns.
func Prepare(ctx context.Context, dataDir string, snapshot io.Reader, want Summary, restore Restore) (prepared string, err error) {
	RemovePrepared(dataDir) // of one that failed
	outer, err := os.MkdirTemp(dataDir, preparedPrefix)
	if err != nil {
		return "", err
	}
	prepared = filepath.Join(outer, "nats")
	got, err := restore(ctx, prepared, snapshot)
	if err == nil && !got.Equal(want) {
		err = fmt.Errorf("the restored log has %s up to number %d with the digest %.16s; the backup's manifest says %s up to %d with %.16s",
			count(got.Events, "event"), got.LastSeq, got.Digest, count(want.Events, "event"), want.LastSeq, want.Digest)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(outer))
	}
	return prepared, nil
}

// Install puts a prepared log, which is durable, at dir, after clear has removed the log without events that is there.
// A crash leaves no log, or the whole one.
func Install(prepared, dir string, clear func() error) error {
	err := clear()
	if err == nil {
		err = os.Rename(prepared, dir)
	}
	if err == nil {
		err = syncPath(filepath.Dir(dir))
	}
	if err != nil {
		return fmt.Errorf("couldn't put the restored log in its place: %w", err)
	}
	return os.RemoveAll(filepath.Dir(prepared))
}

// RemovePrepared removes logs that were to be installed from a data directory, whose lock the process must hold: what
// killed processes left there.
func RemovePrepared(dataDir string) {
	entries, err := os.ReadDir(dataDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), preparedPrefix) {
			os.RemoveAll(filepath.Join(dataDir, e.Name()))
		}
	}
}

// RestoreSettings puts the settings of the backup in dir at path, only for its owner to read.
func (m *Manifest) RestoreSettings(dir, path string) error {
	content, err := os.ReadFile(filepath.Join(dir, settingsName))
	if err != nil {
		return err
	}
	return writeContent(path, content)
}
