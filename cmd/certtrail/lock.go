package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// errInUse says that another process has the data directory.
var errInUse = errors.New("is in use")

// lockDir makes the data directory, if it is not there, and takes it for this process until the returned function is called. The lock is
// the kernel's: it goes with the process, however that ends.
func lockDir(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("couldn't make the data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("couldn't lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("couldn't lock the data directory %s: %w", dir, err)
		}
		owner, _ := io.ReadAll(f)
		return nil, fmt.Errorf("data directory %s %w by process %s", dir, errInUse, strings.TrimSpace(string(owner)))
	}
	if err := errors.Join(f.Truncate(0), write(f, fmt.Sprintln(os.Getpid()))); err != nil {
		f.Close()
		return nil, fmt.Errorf("couldn't lock the data directory: %w", err)
	}
	return func() { f.Close() }, nil
}

func write(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}
