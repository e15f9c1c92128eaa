package transfer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestLeavingsGo: what a killed process left beside a file or a directory goes with the next one for the same place;
// what somebody still makes stays, and what nobody of ours made.
func TestLeavingsGo(t *testing.T) {
	for _, dir := range []bool{false, true} {
		place := filepath.Join(t.TempDir(), "a")
		dead, err := makeAside(place, dir)
		if err != nil {
			t.Fatal(err)
		}
		dead.Close() // as its process's end does
		if dir {
			writeText(t, filepath.Join(dead.Name(), "stream.snapshot"), "credentials")
		}
		other, foreign := place+"b", filepath.Join(filepath.Dir(place), ".a.1234")
		writeText(t, foreign, "")
		elsewhere, err := makeAside(other, dir)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere.Close()
		living, err := makeAside(place, dir)
		if err != nil {
			t.Fatal(err)
		}
		defer living.Close()
		next, err := makeAside(place, dir)
		if err != nil {
			t.Fatal(err)
		}
		defer next.Close()
		for path, want := range map[string]bool{dead.Name(): false, living.Name(): true, next.Name(): true, foreign: true, elsewhere.Name(): true} {
			if exists(t, path) != want {
				t.Errorf("%s is there: %v, want %v", path, !want, want)
			}
		}
	}
}

// TestWritersAtOnce: whoever writes the same file at once takes nothing away from another, and leaves nothing.
func TestWritersAtOnce(t *testing.T) {
	dir := t.TempDir()
	done := make(chan error)
	for i := range 16 {
		go func() {
			done <- WriteWhole(filepath.Join(dir, "a"), func(w io.Writer) error { _, err := fmt.Fprint(w, i); return err })
		}()
	}
	for range 16 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
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

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
