package blocks

import (
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Dropping what is in memory of a file takes more than one call while the kernel still has it in hand.
const (
	dropTries    = 25
	dropInterval = 20 * time.Millisecond
)

// dropCache has the next read of f come from the disk, which holds all of it that was synced. It returns how many pages
// the system keeps in memory all the same: another program may be reading them, or they are nowhere else.
func dropCache(f *os.File) (kept int, err error) {
	for range dropTries {
		if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			return 0, fmt.Errorf("couldn't have it read from the disk: %w", err)
		}
		if kept, err = cachedPages(f); err != nil || kept == 0 || inMemory(f) {
			return 0, err
		}
		time.Sleep(dropInterval)
	}
	return kept, nil
}

// inMemory reports whether the file system of f has no disk.
func inMemory(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && (st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC)
}

// cachedPages counts the pages of f that are in memory.
func cachedPages(f *os.File) (n int, err error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, fmt.Errorf("couldn't see what of it is in memory: %w", err)
	}
	defer unix.Munmap(mapped)
	pages := make([]byte, (len(mapped)+os.Getpagesize()-1)/os.Getpagesize())
	if _, _, no := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), uintptr(unsafe.Pointer(&pages[0]))); no != 0 {
		return 0, fmt.Errorf("couldn't see what of it is in memory: %w", no)
	}
	for _, p := range pages {
		n += int(p & 1)
	}
	return n, nil
}
