package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Source gives what a backup is made of, and what to hold it against.
type Source interface {
	// Snapshot writes the log to w, as a server of its own can take it back.
	Snapshot(ctx context.Context, w io.Writer) error
	// Settings returns the settings file that the log's owner was started with; false: there is none.
	Settings(ctx context.Context) (content []byte, ok bool, err error)
	// Summary returns what the log holds up to the last sequence of a copy.
	Summary(ctx context.Context, copied Summary) (Summary, error)
}

// Restore makes a log in dir, which is not there yet, out of a snapshot, and returns what was read back from it.
type Restore func(ctx context.Context, dir string, snapshot io.Reader) (Summary, error)

// Backup copies what source has to dir, which is empty or not there, and reads the copy back with restore. It makes the
// backup under another name beside dir, which it gets when it is whole and on the disk. The version is that of the
// program.
func Backup(ctx context.Context, dir, version string, source Source, restore Restore) (*Manifest, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, err
	}
	aside, err := makeAside(dir, true)
	if err != nil {
		return nil, err
	}
	defer aside.Close() // its lock lasts until it has its name
	defer os.RemoveAll(aside.Name())
	m, err := fill(ctx, aside.Name(), version, source, restore)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // it is empty
		return nil, err
	}
	if err := os.Rename(aside.Name(), dir); err != nil {
		return nil, err
	}
	return m, syncPath(filepath.Dir(dir))
}

// fill makes the files of a backup in dir.
func fill(ctx context.Context, dir, version string, source Source, restore Restore) (*Manifest, error) {
	m := &Manifest{Format: backupFormat, Version: version, Files: map[string]fileDigest{}}
	err := WriteWhole(filepath.Join(dir, snapshotName), func(w io.Writer) error { return source.Snapshot(ctx, w) })
	if err != nil {
		return nil, err
	}
	names := []string{snapshotName}
	content, ok, err := source.Settings(ctx)
	if err != nil {
		return nil, err
	}
	if ok {
		if err := writeContent(filepath.Join(dir, settingsName), content); err != nil {
			return nil, err
		}
		names = append(names, settingsName)
	}
	if m.Stream, err = checkCopy(ctx, dir, source, restore); err != nil {
		return nil, err
	}
	m.Time = schema.At(time.Now())
	for _, name := range names {
		if m.Files[name], err = digestFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return m, m.write(dir)
}

// checkCopy restores the copy beside itself, reads it to its end, and compares it with the log: a copy of a damaged log
// would else pass for whole.
func checkCopy(ctx context.Context, dir string, source Source, restore Restore) (Summary, error) {
	snapshot, err := os.Open(filepath.Join(dir, snapshotName))
	if err != nil {
		return Summary{}, err
	}
	defer snapshot.Close()
	aside := filepath.Join(dir, "check")
	copied, err := restore(ctx, aside, snapshot)
	if err != nil {
		return copied, fmt.Errorf("the copy cannot be read back: %w", err)
	}
	if err := os.RemoveAll(aside); err != nil {
		return copied, err
	}
	live, err := source.Summary(ctx, copied)
	if err != nil {
		return copied, fmt.Errorf("the copy could not be compared with the log: %w", err)
	}
	if !live.Equal(copied) {
		return copied, fmt.Errorf("the copy is not what the log holds up to event %d: it has %s with the digest %.16s, the log %s with %.16s",
			copied.LastSeq, count(copied.Events, "event"), copied.Digest, count(live.Events, "event"), live.Digest)
	}
	return copied, nil
}
