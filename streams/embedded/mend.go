package embedded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/certtrail/certtrail/streams/embedded/blocks"
)

// newSuffix ends the name of a file that is not whole yet.
const newSuffix = ".new"

// mend makes every block such that the server reads all of it: what is damaged is kept aside, and the records that
// their checksums vouch for stand in its place, in their order. Numbers that were given to events, and that no record
// has any more, stay theirs.
func (g *guard) mend(r *reading) error {
	changed := false
	for _, s := range r.blocks {
		if s.Whole() {
			continue
		}
		if err := g.mendBlock(s); err != nil {
			return fmt.Errorf("couldn't mend the log's file %d.blk: %w", s.Number, err)
		}
		changed = true
	}
	recorded := uint64(0)
	for _, s := range r.blocks {
		recorded = max(recorded, s.End)
	}
	if r.end > recorded {
		if err := g.keepNumbers(r); err != nil {
			return fmt.Errorf("couldn't keep the numbers of what is gone from the log: %w", err)
		}
		changed = true
	}
	if !changed {
		return nil
	}
	// What the server wrote down of its blocks is no longer true, and it can do without.
	if err := os.Remove(filepath.Join(g.layout.blocks(), indexName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return g.syncDir(g.layout.blocks())
}

// mendBlock leaves the sound records of a block. A record that was only begun is cut off; anything else is done in a
// new file, so that what is damaged stays as it is, under another name.
func (g *guard) mendBlock(s *blocks.Block) error {
	path := filepath.Join(g.layout.blocks(), blocks.Name(s.Number))
	if s.Cut && len(s.Broken) == 1 {
		g.logger.Info("the end of an event that was never whole is cut off; nothing that was answered", "file", path, "bytes", s.Size-s.Broken[0].From)
		return g.cutOff(path, s.Broken[0].From)
	}
	kept, err := g.keepDamaged(path, s.Number)
	if err != nil {
		return err
	}
	if err := g.rewrite(path, s.Sound); err != nil {
		return err
	}
	g.logger.Warn("a damaged file of the log is mended with all of its events that can be read", "file", path, "damaged_places", len(s.Broken), "damaged_file", kept)
	return nil
}

func (g *guard) cutOff(path string, size int) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(int64(size)), g.o.Sync(f), f.Close())
}

// keepDamaged gives the file a second name among the damaged ones.
func (g *guard) keepDamaged(path string, number int) (kept string, err error) {
	if err := os.MkdirAll(g.layout.damaged(), 0o700); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		kept = filepath.Join(g.layout.damaged(), fmt.Sprintf("%s.%d", blocks.Name(number), n))
		err := os.Link(path, kept)
		if err != nil && errors.Is(noLinks(err), errNoLinks) {
			err = g.copyFile(path, kept)
		}
		if !errors.Is(err, fs.ErrExist) {
			return kept, errors.Join(err, g.syncDir(g.layout.damaged()), g.syncDir(g.layout.dir))
		}
		if same, err := sameFile(path, kept); err != nil || same { // an earlier start came as far as this
			return kept, err
		}
	}
}

// copyFile makes a durable copy, which must not be there yet.
func (g *guard) copyFile(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return g.replace(to, func(w io.Writer) error {
		_, err := io.Copy(w, f)
		return err
	})
}

func sameFile(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y), err
}

// rewrite puts a file that holds those parts of it in the file's place.
func (g *guard) rewrite(path string, parts []blocks.Span) error {
	old, err := os.Open(path)
	if err != nil {
		return err
	}
	defer old.Close()
	return g.replace(path, func(w io.Writer) error {
		for _, p := range parts {
			if _, err := io.Copy(w, io.NewSectionReader(old, int64(p.From), int64(p.To-p.From))); err != nil {
				return err
			}
		}
		return nil
	})
}

// keepNumbers adds a block that says how far numbers were given.
func (g *guard) keepNumbers(r *reading) error {
	number := 1
	if n := len(r.blocks); n > 0 {
		number = r.blocks[n-1].Number + 1
	}
	sums, err := blocks.NewSums(number)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(g.layout.blocks(), 0o750); err != nil {
		return err
	}
	at := r.newest
	if at.IsZero() {
		at = time.Unix(0, 1)
	}
	return g.replace(filepath.Join(g.layout.blocks(), blocks.Name(number)), func(w io.Writer) error {
		_, err := w.Write(sums.Erased(r.end, at))
		return err
	})
}

// replace makes a file with what write writes, which appears when it is whole and durable.
func (g *guard) replace(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path+newSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), g.o.Sync(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+newSuffix))
	}
	if err := os.Rename(path+newSuffix, path); err != nil {
		return err
	}
	return g.syncDir(filepath.Dir(path))
}

func (g *guard) syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(g.o.Sync(f), f.Close())
}
