package streams

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// SyncFunc makes durable what has been written to f, which may be a directory.
type SyncFunc func(f *os.File) error

// fdatasync flushes a file's data and the metadata needed to read it back.
func fdatasync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// blockFiles is the only place that knows how nats-server lays a stream on disk: files N.blk under the stream's msgs directory, N growing,
// messages appended to the newest with write(2) before they are acknowledged (server/filestore.go, for one replica without async persist mode).
// So after an acknowledgement it is enough to sync the file that was newest before the publish and every newer one.
type blockFiles struct {
	dir  string
	sync SyncFunc
	off  bool // the server syncs by itself

	newest *os.File // held open from one sync to the next, because the kernel reports a failed write-back to descriptors that were open then
	number int      // of newest; 0 before the first message
}

// syncNewest syncs every block file that may hold messages acknowledged since the last sync: the one that was newest when that began, and all newer
// ones. Meanwhile the next messages may be written: a file that is not the newest when this sync begins gets no more of them, so it is done with.
func (b *blockFiles) syncNewest() error {
	if b.off {
		return nil
	}
	highest, err := b.highest()
	if err != nil {
		return err
	}
	if b.newest != nil {
		if err := b.sync(b.newest); err != nil {
			return fmt.Errorf("couldn't sync %s: %w", b.newest.Name(), err)
		}
	}
	if highest == b.number {
		return nil
	}
	for n := b.number + 1; n <= highest; n++ {
		if err := b.syncNext(n); err != nil {
			return err
		}
	}
	return b.syncPath(b.dir) // for their names
}

// syncNext syncs block n and holds it in the place of the one before.
func (b *blockFiles) syncNext(n int) error {
	f, err := os.Open(b.path(n))
	if err != nil {
		return err
	}
	if err := b.sync(f); err != nil {
		f.Close()
		return fmt.Errorf("couldn't sync %s: %w", f.Name(), err)
	}
	if b.newest != nil {
		b.newest.Close()
	}
	b.newest, b.number = f, n
	return nil
}

// hold opens the newest block file, if there is one, after syncAll.
func (b *blockFiles) hold() error {
	if b.off {
		return nil
	}
	n, err := b.listed()
	if err != nil || n == 0 {
		return err
	}
	b.newest, err = os.Open(b.path(n))
	b.number = n
	return err
}

// release closes what hold and the syncs since have opened.
func (b *blockFiles) release() {
	if b.newest != nil {
		b.newest.Close() // it was only read
	}
}

// highest is the number of the newest block file.
func (b *blockFiles) highest() (int, error) {
	if b.newest == nil {
		n, err := b.listed()
		if err == nil && n == 0 {
			err = fmt.Errorf("couldn't find the stream's block files in %s: this nats-server lays them out differently; use --sync=always", b.dir)
		}
		return n, err
	}
	for n := b.number; ; n++ {
		_, err := os.Lstat(b.path(n + 1))
		if errors.Is(err, fs.ErrNotExist) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// syncAll makes durable all that is in the log's directory and the way to it: after a crash the newest block may hold what was never synced,
// and readers are about to be shown it.
func (b *blockFiles) syncAll(root string) error {
	if b.off {
		return nil
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		if err := b.syncPath(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	return b.syncPath(filepath.Dir(root))
}

func (b *blockFiles) syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return b.sync(f)
}

// listed is the highest number of a block file in the directory, 0 if there is none.
func (b *blockFiles) listed() (int, error) {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return 0, fmt.Errorf("couldn't list the stream's block files: %w", err)
	}
	highest := 0
	for _, e := range entries {
		if n, ok := blockNumber(e.Name()); ok {
			highest = max(highest, n)
		}
	}
	return highest, nil
}

func blockNumber(name string) (n int, ok bool) {
	name, ok = strings.CutSuffix(name, ".blk")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(name)
	return n, err == nil
}

func (b *blockFiles) path(n int) string { return filepath.Join(b.dir, strconv.Itoa(n)+".blk") }

// diskSpace looks, at most once a second, whether the disk has room: on a full one the stream would freeze until the server restarts.
type diskSpace struct {
	dir     string
	checked time.Time
	err     error
}

func (d *diskSpace) check() error {
	if time.Since(d.checked) < time.Second {
		return d.err
	}
	d.checked = time.Now()
	var st unix.Statfs_t
	if err := unix.Statfs(d.dir, &st); err != nil {
		d.err = fmt.Errorf("couldn't look at the disk of %s: %w", d.dir, err)
		return d.err
	}
	d.err = nil
	if free := int64(st.Bavail) * st.Bsize; free < freeReserve {
		d.err = fmt.Errorf("the disk of %s has %d MiB left, and %d must stay free: make room on it", d.dir, free>>20, freeReserve>>20)
	}
	return d.err
}

// ninetyPercentOfDisk is what a stream may grow to on the disk that holds dir.
func ninetyPercentOfDisk(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("couldn't look at the disk of %s: %w", dir, err)
	}
	return int64(st.Blocks) / 10 * 9 * st.Bsize, nil
}
