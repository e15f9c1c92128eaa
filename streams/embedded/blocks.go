package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/certtrail/certtrail/streams/embedded/blocks"
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

var (
	// errNotOpened says that a block file could not be opened, and that this may pass.
	errNotOpened = errors.New("a block file could not be opened")
	// errReadOnly says that the disk may not be written, whatever a sync says.
	errReadOnly = errors.New("the disk is mounted read-only: look after it, and mount it writable")
)

// spares limits the descriptors that are kept for block files, for when the process has no others.
const spares = 4

// blockFiles syncs the files that nats-server keeps a stream in: N.blk under the stream's msgs directory, N growing,
// messages appended to the newest with write(2) before they are acknowledged (server/filestore.go, for one replica
// without async persist mode). So after an acknowledgement it is enough to sync the file that was newest before the
// publish and every newer one.
type blockFiles struct {
	dir  string
	sync SyncFunc
	off  bool // the server syncs by itself

	newest *os.File // held open from one sync to the next, because the kernel reports a failed write-back to descriptors that were open then
	number int      // of newest; 0 before the first message
	spare  []*os.File
}

// syncNewest syncs every block file that may hold messages acknowledged since the last sync: the one that was newest
// when that began, and all newer ones. Meanwhile the next messages may be written: a file that is not the newest when
// this sync begins gets no more of them, so it is done with. After errNotOpened it may be called again, and goes on
// where it was.
func (b *blockFiles) syncNewest() error {
	if b.off {
		return nil
	}
	highest, err := b.highest()
	if err != nil {
		return err
	}
	if b.newest != nil {
		if err := b.syncFile(b.newest); err != nil {
			return err
		}
	}
	if highest == b.number {
		return nil
	}
	dir, err := b.open(b.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	for n := b.number + 1; n <= highest; n++ {
		if err := b.syncNext(n); err != nil {
			return err
		}
	}
	return b.syncFile(dir) // for their names
}

// syncFile syncs f. A file system that was made read-only says that it has, and has not.
func (b *blockFiles) syncFile(f *os.File) error {
	if err := b.sync(f); err != nil {
		return fmt.Errorf("couldn't sync %s: %w", f.Name(), err)
	}
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err == nil && st.Flags&unix.ST_RDONLY != 0 {
		return errReadOnly
	}
	return nil
}

// syncNext syncs block n and holds it in the place of the one before.
func (b *blockFiles) syncNext(n int) error {
	f, err := b.open(b.path(n))
	if errors.Is(err, fs.ErrNotExist) { // a start found it damaged, or it is one that never was
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.syncFile(f); err != nil {
		f.Close()
		return err
	}
	if b.newest != nil {
		b.newest.Close()
	}
	b.newest, b.number = f, n
	return nil
}

// open opens a file, with a descriptor that was kept for this if there is no other.
func (b *blockFiles) open(path string) (*os.File, error) {
	f, err := os.Open(path)
	if n := len(b.spare); n > 0 && (errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)) {
		b.spare[n-1].Close()
		b.spare = b.spare[:n-1]
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotOpened, err)
	}
	b.keepSpares()
	return f, nil
}

// keepSpares takes descriptors for later, as long as there are some.
func (b *blockFiles) keepSpares() {
	for len(b.spare) < spares {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return
		}
		b.spare = append(b.spare, f)
	}
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
	b.newest, err = b.open(b.path(n))
	b.number = n
	return err
}

// release closes what hold and the syncs since have opened.
func (b *blockFiles) release() {
	if b.newest != nil {
		b.newest.Close() // it was only read
	}
	for _, f := range b.spare {
		f.Close()
	}
	b.newest, b.number, b.spare = nil, 0, nil
}

// highest returns the number of the newest block file.
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
			return 0, fmt.Errorf("%w: %w", errNotOpened, err)
		}
	}
}

// syncAll makes durable all that is in the log's directory and the way to it: after a crash the newest block may hold
// what was never synced, and readers are about to be shown it.
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

// listed returns the highest number of a block file in the directory, 0 if there is none.
func (b *blockFiles) listed() (int, error) {
	numbers, err := b.numbers()
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	return numbers[len(numbers)-1], nil
}

// numbers returns those of all block files in the directory, in ascending order.
func (b *blockFiles) numbers() ([]int, error) {
	numbers, err := blocks.Numbers(b.dir)
	if err != nil {
		return nil, fmt.Errorf("%w: couldn't list the block files: %w", errNotOpened, err)
	}
	return numbers, nil
}

// path returns where the block file with that number is.
func (b *blockFiles) path(n int) string { return filepath.Join(b.dir, blocks.Name(n)) }

// inodeReserve counts the inodes that must be left on the disk: a new block is a file, and so is much else that must go
// on.
const inodeReserve = 64

// diskSpace looks, at most once a second, whether the disk has room: on a full one the stream would freeze until its
// server is started again.
type diskSpace struct {
	dir     string
	checked time.Time
	err     error
}

func (d *diskSpace) check() error {
	if time.Since(d.checked) >= time.Second {
		d.checked, d.err = time.Now(), lookForRoom(d.dir)
	}
	return d.err
}

// lookForRoom says why nothing may be written to the disk of dir.
func lookForRoom(dir string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("couldn't look at the disk of %s: %w", dir, err)
	}
	if st.Flags&unix.ST_RDONLY != 0 {
		return errReadOnly
	}
	if free := int64(st.Bavail) * st.Bsize; free < freeReserve {
		return fmt.Errorf("the disk of %s has %d MiB left, and %d must stay free: make room on it", dir, free>>20, freeReserve>>20)
	}
	if st.Files > 0 && st.Ffree < inodeReserve { // some file systems count none
		return fmt.Errorf("the disk of %s has %d inodes left, and %d must stay free: remove files from it", dir, st.Ffree, inodeReserve)
	}
	return nil
}

// ninetyPercentOfDisk returns the bytes that a stream may grow to on the disk that holds dir.
func ninetyPercentOfDisk(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("couldn't look at the disk of %s: %w", dir, err)
	}
	return int64(st.Blocks) / 10 * 9 * st.Bsize, nil
}
