package durable

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path+newSuffix, []byte("what a crash left, which is longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"one", "another"} {
		if err := WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != content {
			t.Errorf("the file holds %q (%v), want %q", b, err, content)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v (%v)", info, err)
	}
	if _, err := os.Stat(path + newSuffix); !os.IsNotExist(err) {
		t.Errorf("something is left beside it: %v", err)
	}
}

// TestWriteFileThatFails: what was there stays, and nothing is left beside it.
func TestWriteFileThatFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.MkdirAll(filepath.Join(path, "inside"), 0o700); err != nil { // which no file can take the place of
		t.Fatal(err)
	}
	if err := WriteFile(path, []byte("new"), 0o600); err == nil {
		t.Error("a file took the place of a directory")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("there are %v (%v), want the directory alone", left, err)
	}
	if err := WriteFile(filepath.Join(dir, "nowhere", "file"), nil, 0o600); err == nil {
		t.Error("a file was written into a directory that is not there")
	}
}
