package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/crash"
)

// TestCrashIsASentence ends a server by a signal as SQLite's memory would: the standard error has one sentence of it,
// the file has all, every start says so until the file is deleted, and an end in order leaves nothing.
func TestCrashIsASentence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, running := filepath.Join(dir, "data", crash.CrashFile), filepath.Join(dir, "data", crash.RunningFile)
	w := begin(t, dir)
	if err := w.cmd.Process.Signal(syscall.SIGSEGV); err != nil {
		t.Fatal(err)
	}
	hasCrashed(t, w, "certtrail ended unexpectedly: SIGSEGV: segmentation violation; "+file+" tells more\n")
	all, err := os.ReadFile(file)
	if info, statErr := os.Stat(file); err != nil || statErr != nil || info.Mode().Perm() != 0o600 || !strings.Contains(string(all), "goroutine ") {
		t.Errorf("the file holds %d bytes without the goroutines: %v, %v, %v", len(all), err, statErr, info)
	}
	for _, told := range []bool{true, true, false} {
		if !told {
			os.Remove(file)
		}
		w = begin(t, dir)
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		if out := w.log.String(); strings.Contains(out, `msg="certtrail ended unexpectedly before`) != told || strings.Contains(out, `reason="SIGSEGV: segmentation violation"`) != told {
			t.Errorf("the crash is to be told: %t; the log is\n%s", told, out)
		}
		if _, err := os.Stat(running); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", running, err)
		}
	}
}

// TestMemoryEndsInASentence takes a running server the room to grow.
func TestMemoryEndsInASentence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := begin(t, dir)
	w.caughtUp(t)
	if err := unix.Prlimit(w.cmd.Process.Pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}, nil); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	var readers sync.WaitGroup
	for range 64 { // each query that is under way takes a thread
		readers.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
					fetch(w.web + "/orders")
				}
			}
		})
	}
	hasCrashed(t, w, "certtrail ended because the system gave it no more memory: ")
	close(ended)
	readers.Wait()
}

// hasCrashed waits for the end of the server, which says the sentence, and little else.
func hasCrashed(t *testing.T, w *world, sentence string) {
	t.Helper()
	select {
	case err := <-w.exited:
		w.cmd = nil
		if out := w.log.String(); err == nil || !strings.Contains(out, sentence) || strings.Count(out, "\n") > 40 || strings.Contains(out, "goroutine ") {
			t.Errorf("it ended with %v, and said\n%s", err, out)
		}
	case <-time.After(patience):
		t.Fatalf("it goes on\n%s", w.log.String())
	}
}

// TestLittleAddressSpaceIsRefused starts where the Go runtime itself could not.
func TestLittleAddressSpaceIsRefused(t *testing.T) {
	t.Parallel()
	for _, kib := range []string{"700000", "1500000"} {
		out, err := exec.Command("sh", "-c", "ulimit -v "+kib+" && exec certtrail serve --data-dir "+t.TempDir()).CombinedOutput()
		if text := string(out); err == nil || !strings.HasPrefix(text, "certtrail: the address space is limited to ") || strings.Count(text, "\n") != 1 {
			t.Errorf("ulimit -v %s: %v, %s", kib, err, text)
		}
	}
}
