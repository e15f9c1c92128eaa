package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/certtrail/certtrail/schema"
)

// The files of a backup, and the version of their layout.
const (
	backupFormat = 1
	manifestName = "manifest.json"
	snapshotName = "stream.snapshot"
	settingsName = "certtrail.yaml"
)

// Manifest says what a backup holds. It is written last: a directory without one is no backup.
type Manifest struct {
	Format  int                   `json:"format"`
	Version string                `json:"certtrail_version"`
	Time    schema.Time           `json:"time"`   // when the backup was complete
	Stream  Summary               `json:"stream"` // what was read back from it
	Files   map[string]fileDigest `json:"files"`
}

type fileDigest struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func digestFile(path string) (d fileDigest, err error) {
	f, err := os.Open(path)
	if err != nil {
		return d, err
	}
	defer f.Close()
	h := sha256.New()
	d.Size, err = io.Copy(h, f)
	d.SHA256 = hex.EncodeToString(h.Sum(nil))
	return d, err
}

func (m *Manifest) write(dir string) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return writeContent(filepath.Join(dir, manifestName), append(b, '\n'))
}

// HasSettings reports whether the backup has a settings file.
func (m *Manifest) HasSettings() bool {
	_, ok := m.Files[settingsName]
	return ok
}

// ReadManifest reads the manifest of the backup in dir and holds every file against it. The version is that of the
// program, for a sentence.
func ReadManifest(dir, version string) (*Manifest, error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, fmt.Errorf("%s is not a backup: %w", dir, err)
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s in %s is damaged: %w", manifestName, dir, err)
	}
	if m.Format != backupFormat {
		return nil, fmt.Errorf("the backup %s has the format %d, of certtrail %s; this certtrail (%s) reads the format %d", dir, m.Format, m.Version, version, backupFormat)
	}
	if _, ok := m.Files[snapshotName]; !ok {
		return nil, fmt.Errorf("%s in %s names no %s", manifestName, dir, snapshotName)
	}
	for name, want := range m.Files {
		if filepath.Base(name) != name {
			return nil, fmt.Errorf("%s in %s names a file outside of it", manifestName, dir)
		}
		got, err := digestFile(filepath.Join(dir, name))
		if err != nil {
			return nil, fmt.Errorf("the backup %s is not complete: %w", dir, err)
		}
		if got != want {
			return nil, fmt.Errorf("the backup %s is damaged: %s has %d bytes with the SHA-256 %s, and should have %d with %s", dir, name, got.Size, got.SHA256, want.Size, want.SHA256)
		}
	}
	return m, nil
}

// CheckEmpty makes sure that nothing is in dir, which need not be there.
func CheckEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("couldn't look at %s: %w", dir, err)
	}
	if len(entries) == 0 {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		return fmt.Errorf("%s holds a backup already, which is never overwritten: name another directory", dir)
	}
	return fmt.Errorf("%s holds something already: a backup gets a directory of its own", dir)
}

// OpenSnapshot opens the snapshot of the backup in dir.
func OpenSnapshot(dir string) (*os.File, error) { return os.Open(filepath.Join(dir, snapshotName)) }

// SettingsPath returns where the backup in dir has its settings.
func SettingsPath(dir string) string { return filepath.Join(dir, settingsName) }
