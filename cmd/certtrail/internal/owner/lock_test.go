package owner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestLockRemovesLeavings: who takes the data directory removes what killed processes left in it, and nobody else does.
func TestLockRemovesLeavings(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	restoring, kept := filepath.Join(dir, "nats.restoring-12"), filepath.Join(dir, "nats")
	for _, path := range []string{restoring, kept, filepath.Join(dir, SocketDir+"12")} {
		if err := os.MkdirAll(filepath.Join(path, "nats", "jetstream"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Lock(dir); !errors.Is(err, ErrInUse) || !exists(t, restoring) {
		t.Errorf("while another has the directory: %v", err)
	}
	release()
	release, err = Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 || !exists(t, kept) {
		t.Errorf("%v are left (%v)", entries, err)
	}
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}
