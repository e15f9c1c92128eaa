package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// TestLeavingsGo: what a killed process left beside a file or a directory goes with the next one for the same place; what somebody still makes stays, and
// what nobody of ours made.
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
			done <- writeWhole(filepath.Join(dir, "a"), func(w io.Writer) error { _, err := fmt.Fprint(w, i); return err })
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

// TestLockRemovesLeavings: who takes the data directory removes what killed processes left in it, and nobody else does.
func TestLockRemovesLeavings(t *testing.T) {
	dir := t.TempDir()
	release, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	restoring, kept := filepath.Join(dir, preparedName+"12"), filepath.Join(dir, "nats")
	for _, path := range []string{restoring, kept, filepath.Join(dir, controlMaking+"12")} {
		if err := os.MkdirAll(filepath.Join(path, "nats", "jetstream"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := lockDir(dir); !errors.Is(err, errInUse) || !exists(t, restoring) {
		t.Errorf("while another has the directory: %v", err)
	}
	release()
	release, err = lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 || !exists(t, kept) {
		t.Errorf("%v are left (%v)", entries, err)
	}
}

// TestWhatGivesWaySaysSo: a building of read models that is ended for another one does not say that the process stops.
func TestWhatGivesWaySaysSo(t *testing.T) {
	o := newOwner(&config{}, discard)
	work := o.during(func(context.Context, *answer, *http.Request) (any, error) {
		return nil, fmt.Errorf("couldn't build: %w", context.Canceled)
	})
	if _, err := work(t.Context(), nil, nil); !errors.Is(err, errGaveWay) {
		t.Errorf("it says: %v", err)
	}
	o.end()
	if _, err := work(t.Context(), nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("when the process stops it says: %v", err)
	}
}
