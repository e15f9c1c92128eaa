package transfer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// WriteWhole writes a file that appears when it is complete and on the disk, and only for its owner to read.
func WriteWhole(path string, write func(io.Writer) error) error {
	f, err := makeAside(path, false)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close() // its lock lasts until it has its name
	if err := errors.Join(write(f), f.Sync()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("couldn't write %s: %w", path, err)
	}
	return syncPath(filepath.Dir(path))
}

// writeContent writes a file whole.
func writeContent(path string, content []byte) error {
	return WriteWhole(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// syncPath makes a file, or the names in a directory, durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, fs.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// asideMark stands in the name of what is made beside its place and gets its name when it is whole:
// .NAME.certtrail-1234. A lock on it shows that somebody still makes it; the lock is the kernel's and goes with the
// process, however that ends.
const asideMark = ".certtrail-"

// maxTries limits how often a file is made again that another process takes for left behind. Writing the last of them
// tells whether it stands.
const maxTries = 10

// makeAside makes a file or, with dir, a directory beside path, only for its owner to read, and removes what killed
// processes left of such ones. The caller closes it once it has its name or is removed.
func makeAside(path string, dir bool) (*os.File, error) {
	removeLeft(path)
	for try := 1; ; try++ {
		f, err := createAside(path, dir)
		if err != nil {
			return nil, fmt.Errorf("couldn't write beside %s: %w", path, err)
		}
		// On a file system without locks nobody can lock it, and so nobody removes it.
		locked := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(locked, syscall.EWOULDBLOCK) && stands(f) || try == maxTries {
			return f, nil
		}
		os.RemoveAll(f.Name()) // another process took it for left behind, before it was locked
		f.Close()
	}
}

func createAside(path string, dir bool) (*os.File, error) {
	parent, pattern := filepath.Dir(path), "."+filepath.Base(path)+asideMark+"*"
	if !dir {
		return os.CreateTemp(parent, pattern) // mode 0600
	}
	name, err := os.MkdirTemp(parent, pattern) // mode 0700
	if err != nil {
		return nil, err
	}
	return os.Open(name)
}

// stands reports whether f still has its name.
func stands(f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(f.Name())
	return err == nil && os.SameFile(opened, named)
}

// removeLeft removes what killed processes left beside path. What cannot be removed harms nobody, and the next time
// tries again.
func removeLeft(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+filepath.Base(path)+asideMark) {
			removeUnlocked(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

func removeUnlocked(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		os.RemoveAll(path)
	}
}
