// Package durable writes files that a crash or a power cut leaves either as they were or whole.
package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// newSuffix ends the name of a file that is not whole yet.
const newSuffix = ".new"

// WriteFile puts a file of that content in the place of the one at path, if there is one. Once it returns nil, no power
// cut brings the old one back.
func WriteFile(path string, content []byte, perm os.FileMode) error {
	if err := Replace(path, content, perm); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Replace does what WriteFile does, but a power cut may bring the old file back until the directory is synced.
func Replace(path string, content []byte, perm os.FileMode) error {
	next := path + newSuffix
	err := write(next, content, perm)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		os.Remove(next) // where that fails, the next write takes its place
	}
	return err
}

func write(path string, content []byte, perm os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
