package owner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/certtrail/certtrail/streams/transfer"
)

// ErrInUse says that another process has the data directory.
var ErrInUse = errors.New("is in use")

// Lock makes the data directory, if it is not there, and takes it for this process until the returned function is
// called. The lock is the kernel's: it goes with the process, however that ends. What a process that had it left behind
// is removed.
func Lock(dir string) (release func(), err error) {
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
		return nil, fmt.Errorf("data directory %s %w by process %s", dir, ErrInUse, strings.TrimSpace(string(owner)))
	}
	if err := errors.Join(f.Truncate(0), write(f, fmt.Sprintln(strings.TrimSpace(fmt.Sprint(os.Getpid(), " ", thisCommand()))))); err != nil {
		f.Close()
		return nil, fmt.Errorf("couldn't lock the data directory: %w", err)
	}
	RemoveLeftInside(dir)
	return func() { f.Close() }, nil
}

// thisCommand returns the command that this process runs, "(certtrail serve)", for whoever finds the directory in use;
// "" if its first argument is none.
func thisCommand() string {
	if len(os.Args) < 2 || strings.HasPrefix(os.Args[1], "-") {
		return ""
	}
	return "(certtrail " + os.Args[1] + ")"
}

func write(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}

// RemoveLeftInside removes from a data directory, whose lock the process must hold, what killed processes left there:
// logs that were to be restored, and directories in which a socket was made.
func RemoveLeftInside(dataDir string) {
	transfer.RemovePrepared(dataDir)
	entries, err := os.ReadDir(dataDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), SocketDir) {
			os.RemoveAll(filepath.Join(dataDir, e.Name()))
		}
	}
}
