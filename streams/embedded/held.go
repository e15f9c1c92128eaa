package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/certtrail/certtrail/streams/embedded/blocks"
)

const oldSuffix = ".old" // of held links that are no longer needed

// hold gives every file of the log a second name: what the server deletes at its start is then not gone. Only a file
// system that has no hard links goes without.
func (g *guard) hold() error {
	held := g.layout.held()
	if _, err := os.Stat(g.layout.stream()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(held + newSuffix); err != nil {
		return err
	}
	err := g.eachFile(g.layout.stream(), func(path, name string) error {
		if filepath.Base(name) == indexName { // of no use once a block is another
			return nil
		}
		to := filepath.Join(held+newSuffix, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.Link(path, to); err != nil {
			return noLinks(err)
		}
		return nil
	})
	if errors.Is(err, errNoLinks) {
		g.logger.Warn("the log's files cannot be held by a second name while the server starts; what it deletes then is gone", "error", err)
		return os.RemoveAll(held + newSuffix)
	}
	if err != nil {
		return fmt.Errorf("couldn't hold the log's files by a second name: %w", err)
	}
	if err := g.syncDirs(held + newSuffix); err != nil {
		return err
	}
	// From here on a start that is cut off is followed by one that puts back what is missing.
	err = os.Rename(held+newSuffix, held)
	if errors.Is(err, fs.ErrNotExist) { // the stream has no files
		return nil
	}
	return errors.Join(err, g.syncDir(g.layout.dir))
}

var errNoLinks = errors.New("no hard links")

// noLinks returns err, as errNoLinks where it says that the file system has none. EPERM is what Linux says, and also
// that the file is another user's; EXDEV and EMLINK, that these files cannot have one.
func noLinks(err error) error {
	var no syscall.Errno
	if errors.As(err, &no) && slices.Contains([]syscall.Errno{unix.EPERM, unix.ENOTSUP, unix.ENOSYS, unix.EXDEV, unix.EMLINK}, no) {
		return fmt.Errorf("%w: %w", errNoLinks, err)
	}
	return err
}

// release takes the second names away: the server has what was read.
func (g *guard) release() error {
	held := g.layout.held()
	err := os.Rename(held, held+oldSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := errors.Join(err, g.syncDir(g.layout.dir)); err != nil {
		return fmt.Errorf("couldn't take the second names of the log's files away: %w", err)
	}
	return os.RemoveAll(held + oldSuffix)
}

// finishHeld puts back what a start that was cut off may have deleted, and removes what it left.
func (g *guard) finishHeld() error {
	for _, suffix := range []string{newSuffix, oldSuffix} {
		if err := os.RemoveAll(g.layout.held() + suffix); err != nil {
			return err
		}
	}
	return g.putBack()
}

// putBack makes the log's files what they were before the server had them. The server must have stopped, and nothing
// may have been appended.
func (g *guard) putBack() error {
	held := g.layout.held()
	if _, err := os.Stat(held); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := g.removeEmpty()
	if err == nil {
		err = g.eachFile(held, g.putBackFile)
	}
	if err == nil {
		err = g.syncTree()
	}
	if err != nil {
		return fmt.Errorf("couldn't put the log's files back, which are still in %s: %w", held, err)
	}
	return g.release()
}

// putBackFile puts the held file at path back under its name in the stream's directory, unless what is there is the
// same, or a block that holds more.
func (g *guard) putBackFile(path, name string) error {
	to := filepath.Join(g.layout.stream(), name)
	switch same, err := sameFile(path, to); {
	case same:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil:
		if number, isBlock := blocks.Number(filepath.Base(name)); isBlock {
			if more, err := g.holdsMore(to, path, number); more || err != nil {
				return err
			}
			if _, err := g.keepDamaged(to, number); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	if err := os.Remove(to + newSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(path, to+newSuffix); err != nil {
		return err
	}
	g.logger.Warn("a file of the log is put back", "file", to)
	return os.Rename(to+newSuffix, to)
}

// holdsMore reports whether more events can be read in the block at a than in the one at b: somebody has put a sound
// file in its place.
func (g *guard) holdsMore(a, b string, number int) (bool, error) {
	var events [2]uint64
	for i, path := range []string{a, b} {
		block, err := blocks.Read(path, g.o.Sync, nil)
		if err != nil {
			return false, err
		}
		s, err := blocks.Scan(number, block.Bytes, func(*blocks.Record) {})
		if err != nil {
			return false, err
		}
		events[i] = s.Events
	}
	return events[0] > events[1], nil
}

// removeEmpty removes what a server made that found no blocks: empty ones, and its account of them.
func (g *guard) removeEmpty() error {
	entries, err := os.ReadDir(g.layout.blocks())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if _, isBlock := blocks.Number(e.Name()); isBlock {
			if info, err := e.Info(); err != nil || info.Size() > 0 {
				continue
			}
		} else if e.Name() != indexName {
			continue
		}
		if err := os.Remove(filepath.Join(g.layout.blocks(), e.Name())); err != nil {
			return err
		}
	}
	return err
}

// syncDirs makes the names in dir, and in all directories below it, durable.
func (g *guard) syncDirs(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.IsDir() {
			return err
		}
		return g.syncDir(path)
	})
}

// syncTree makes the names of all that is in the stream's directory, and of the way to it, durable.
func (g *guard) syncTree() error {
	files := &blockFiles{sync: g.o.Sync}
	return files.syncAll(g.layout.dir)
}

// eachFile calls do with every regular file below dir, and its name there.
func (g *guard) eachFile(dir string, do func(path, name string) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return do(path, name)
	})
}
