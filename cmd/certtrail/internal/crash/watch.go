package crash

import (
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// crashWatch turns a crash of this process into a sentence. The Go runtime and the C library say on descriptor 2 why
// they end a process: a thousand lines, and where memory ran out nothing shortens them. So that descriptor is a file in
// the data directory, and a second process, which waits for the end of this one, says on the standard error what
// happened.
type crashWatch struct {
	dir     string
	stderr  *os.File // the standard error, on another descriptor
	alive   *os.File // the other end closes with this process
	watcher *exec.Cmd
}

// watchCrashes begins the watch over this process, which must own the data directory.
func watchCrashes(dir string) (w *crashWatch, err error) {
	said, err := os.OpenFile(filepath.Join(dir, RunningFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer said.Close()
	fd, err := unix.FcntlInt(uintptr(unix.Stderr), unix.F_DUPFD_CLOEXEC, unix.Stderr+1)
	if err != nil {
		return nil, fmt.Errorf("couldn't keep the standard error: %w", err)
	}
	w = &crashWatch{dir: dir, stderr: os.NewFile(uintptr(fd), os.Stderr.Name())}
	if err := w.startWatcher(said); err != nil {
		return nil, errors.Join(err, w.stderr.Close())
	}
	if err := unix.Dup3(int(said.Fd()), unix.Stderr, 0); err != nil {
		w.end()
		return nil, fmt.Errorf("couldn't redirect the standard error: %w", err)
	}
	log.SetOutput(w.stderr) // net/http logs there
	return w, nil
}

func (w *crashWatch) startWatcher(said *os.File) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	waits, alive, err := os.Pipe()
	if err != nil {
		return err
	}
	defer waits.Close()
	w.alive, w.watcher = alive, exec.Command(program, Command, w.dir)
	w.watcher.Stdin, w.watcher.Stderr, w.watcher.ExtraFiles = waits, w.stderr, []*os.File{said}
	w.watcher.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is not for it
	if err := w.watcher.Start(); err != nil {
		return errors.Join(fmt.Errorf("couldn't start the process that sums up a crash: %w", err), alive.Close())
	}
	return nil
}

// end ends the watch: this process is about to end in order. stderr stays open for whoever logs a last line.
func (w *crashWatch) end() {
	log.SetOutput(os.Stderr)
	unix.Dup3(int(w.stderr.Fd()), unix.Stderr, 0)
	os.Remove(filepath.Join(w.dir, RunningFile)) // or the next start does
	w.alive.Close()
	w.watcher.Wait()
}

// Guard says how the process before crashed, if it did, and begins the watch over this process, whose log goes to logTo, until done is
// called. Only a process of its own is watched: a log that goes elsewhere than to the standard error is a test's.
func Guard(dir string, logTo io.Writer, level slog.Leveler) (logger *slog.Logger, done func()) {
	last, lastErr := lastCrash(dir)
	done = func() {}
	var watchErr error
	if logTo == io.Writer(os.Stderr) {
		var w *crashWatch
		if w, watchErr = watchCrashes(dir); watchErr == nil {
			logTo, done = w.stderr, w.end
		}
	}
	logger = slog.New(slog.NewTextHandler(logTo, &slog.HandlerOptions{Level: level}))
	if watchErr != nil {
		logger.Warn("crashes will not be reported", "error", watchErr)
	}
	if lastErr != nil {
		logger.Warn("the report of an earlier crash cannot be read", "error", lastErr)
	}
	if last != nil {
		logger.Warn("certtrail ended unexpectedly before; read the file, then delete it", "at", last.at.UTC().Format(time.RFC3339), "reason", last.reason, "file", last.file)
	}
	return logger, done
}

const Command = "watch-crash"

// Wait waits until the process at the other end of alive ends, and sums up what it said at its end. said is that file.
func Wait(dir string, alive io.Reader, said *os.File, stderr io.Writer) error {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP) // a service manager sends them to all processes
	if _, err := io.Copy(io.Discard, alive); err != nil {
		return err
	}
	ours, err := said.Stat()
	if err != nil || ours.Size() == 0 {
		return err
	}
	// The next process may have begun already, and have taken the file away.
	if now, err := os.Stat(filepath.Join(dir, RunningFile)); err == nil && os.SameFile(ours, now) {
		if err := keepCrash(dir); err != nil {
			return err
		}
	}
	c, err := readCrash(filepath.Join(dir, CrashFile))
	if c != nil {
		fmt.Fprintln(stderr, c.sentence())
	}
	return err
}
