package streams

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const oldSuffix = ".old" // of held links that are no longer needed

// hold gives every file of the log a second name: what the server deletes at its start is then not gone. Only a file system that has no hard links goes
// without.
func (g *guard) hold() error {
	held := g.layout.held()
	if _, err := os.Stat(g.layout.stream()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(held + newSuffix); err != nil {
		return err
	}
	err := g.eachFile(g.layout.stream(), func(path, name string) error {
		if filepath.Base(name) == "index.db" { // of no use once a block is another
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
		g.logger.Warn("the log's files cannot be held by a second name while the server starts: the file system has no hard links", "error", err)
		return os.RemoveAll(held + newSuffix)
	}
	if err != nil {
		return fmt.Errorf("couldn't hold the log's files by a second name: %w", err)
	}
	// From here on a start that is cut off is followed by one that puts back what is missing.
	err = os.Rename(held+newSuffix, held)
	if errors.Is(err, fs.ErrNotExist) { // the stream has no files
		return nil
	}
	return errors.Join(err, g.syncDir(g.layout.dir))
}

var errNoLinks = errors.New("no hard links")

// noLinks is err, as errNoLinks where it says that the file system has none. EPERM is what Linux says, and also that the file is another user's.
func noLinks(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) {
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

// putBack makes the log's files what they were before the server had them. The server must have stopped, and nothing may have been appended.
func (g *guard) putBack() error {
	held := g.layout.held()
	if _, err := os.Stat(held); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := g.moveStrangers(); err != nil {
		return fmt.Errorf("couldn't put the log's files back: %w", err)
	}
	err := g.eachFile(held, func(path, name string) error {
		to := filepath.Join(g.layout.stream(), name)
		if same, err := sameFile(path, to); same {
			return nil
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
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
		return os.Rename(to+newSuffix, to)
	})
	if err == nil {
		err = g.syncTree()
	}
	if err != nil {
		return fmt.Errorf("couldn't put the log's files back, which are still in %s: %w", held, err)
	}
	return g.release()
}

// moveStrangers takes away the blocks that are not held, which a server made that found none, and its account of the blocks.
func (g *guard) moveStrangers() error {
	entries, err := os.ReadDir(g.layout.blocks())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(g.layout.blocks(), e.Name())
		if number, ok := blockNumber(e.Name()); ok {
			if _, err := os.Stat(filepath.Join(g.layout.held(), "msgs", e.Name())); err == nil {
				continue
			}
			if _, err := g.keepDamaged(path, number); err != nil {
				return err
			}
		} else if e.IsDir() || strings.HasSuffix(e.Name(), newSuffix) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
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
