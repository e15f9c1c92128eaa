package crash

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	CrashFile   = "crash.txt" // what the last process that crashed said, until a person deletes it
	RunningFile = "crash.now" // what the running process says on descriptor 2; it goes with a process that ends in order
	crashBytes  = 1 << 20     // as much of it as is kept
	reasonBytes = 200         // as much of its first line as a sentence repeats
)

// crash describes the unexpected end of a process.
type crash struct {
	file   string // all that it said
	at     time.Time
	reason string // the first line of it
}

// sentence says for a person what happened, and where to read on.
func (c *crash) sentence() string {
	happened := "ended unexpectedly"
	if c.forMemory() {
		happened = "ended because the system gave it no more memory"
	}
	return fmt.Sprintf("certtrail %s: %s; %s tells more", happened, c.reason, c.file)
}

// forMemory reports whether the system gave no more memory, or no thread, which takes memory, too.
func (c *crash) forMemory() bool {
	for _, words := range []string{"out of memory", "cannot allocate", "pthread_create failed", "failed to create new OS thread"} {
		if strings.Contains(c.reason, words) {
			return true
		}
	}
	return false
}

// readCrash returns the crash that the file describes, nil if there is none.
func readCrash(file string) (*crash, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	for lines := bufio.NewReader(io.LimitReader(f, crashBytes)); ; {
		line, err := lines.ReadString('\n')
		if reason := strings.TrimSpace(line); reason != "" {
			return &crash{file, info.ModTime(), strings.ToValidUTF8(reason[:min(len(reason), reasonBytes)], "")}, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// keepCrash puts what the last process said at its end in the place of what an earlier one did. A process that was
// killed, or ended in order, said nothing.
func keepCrash(dir string) error {
	running := filepath.Join(dir, RunningFile)
	info, err := os.Stat(running)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return os.Remove(running)
	}
	if info.Size() > crashBytes {
		err = errors.Join(os.Truncate(running, crashBytes), os.Chtimes(running, info.ModTime(), info.ModTime()))
	}
	return errors.Join(err, os.Rename(running, filepath.Join(dir, CrashFile)))
}

// lastCrash returns how the last process that crashed on the data directory ended, nil if none did, or a person has
// deleted the file about it.
func lastCrash(dir string) (*crash, error) {
	err := keepCrash(dir)
	c, readErr := readCrash(filepath.Join(dir, CrashFile))
	return c, errors.Join(err, readErr)
}
