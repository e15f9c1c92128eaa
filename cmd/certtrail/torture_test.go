package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/schema"
)

var (
	torture = flag.Int("torture", 0, "how often the start of a server is disturbed, and how often a file of its data directory is damaged; 0: a few times")
	seed    = flag.Uint64("seed", 1, "the seed of what chance decides in that")
)

// tortures sets how often something is tried.
func tortures(few int) int {
	if *torture > 0 {
		return *torture
	}
	return few
}

const tortured = 800 // events of the log that is tortured

// base makes a data directory whose log has several blocks, as a clean stop and as a kill leave it.
func base(t *testing.T) (clean, killed string) {
	t.Helper()
	dir := t.TempDir()
	var lines strings.Builder
	for n := range tortured {
		fmt.Fprintf(&lines, `{"specversion":"1.0","id":"t:%d","source":"/hooks/digicert","type":"certtrail.order.issued.v1","subject":"order/digicert/%d","time":"2026-11-21T22:00:00Z",`+
			`"data":{"provider":"digicert","event":"certificate_issued","order_id":"%d","reason":%q}}`+"\n", n, n, n, strings.Repeat("x", 12_000))
	}
	writeText(t, filepath.Join(dir, "e.jsonl"), lines.String())
	if _, stderr, err := program(dir, "import", "--data-dir", "data", "e.jsonl"); err != nil {
		t.Fatal(stderr)
	}
	w := begin(t, dir)
	w.caughtUp(t)
	w.end()
	killed = copyOf(t, filepath.Join(dir, "data"))
	w = begin(t, dir)
	w.caughtUp(t)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "data"), killed
}

// copyOf copies a data directory in which nobody works.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	os.Remove(filepath.Join(dir, owner.SocketName))
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"", "keys"} {
		if err := os.Chmod(filepath.Join(to, private), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// failures lists the system calls that fail, and how.
var failures = map[string][]string{
	"openat": {"EIO", "EMFILE", "ENFILE", "EACCES", "ENOSPC"}, "read": {"EIO"}, "pread64": {"EIO"}, "newfstatat": {"EIO", "EACCES"}, "fstat": {"EIO"},
	"getdents64": {"EIO"}, "write": {"EIO", "ENOSPC"}, "fsync": {"EIO", "ENOSPC"}, "fdatasync": {"EIO"}, "renameat": {"EIO", "EACCES", "ENOSPC"},
	"unlinkat": {"EIO", "EACCES"}, "linkat": {"EIO", "EMFILE", "EACCES", "ENOSPC"}, "mkdirat": {"EACCES", "ENOSPC"},
}

// TestFailingCallsOfAStartLoseNothing has one system call of a start fail, another each time: the server serves, or
// ends with a sentence, and the next one has all events. The long form is make torture.
func TestFailingCallsOfAStartLoseNothing(t *testing.T) {
	t.Parallel()
	clean, killed := base(t)
	chance := rand.New(rand.NewPCG(*seed, 1))
	calls := slices.Sorted(maps.Keys(failures))
	for n := range tortures(4) {
		call := calls[chance.IntN(len(calls))]
		name := failures[call][chance.IntN(len(failures[call]))]
		when := 1 + int(chance.ExpFloat64()*40)
		from := map[bool]string{true: clean, false: killed}[n%2 == 0]
		what := fmt.Sprintf("%s:error=%s:when=%d", call, name, when)
		dir := copyOf(t, from)
		taken := disturbed(t, dir, what)
		stdout, stderr, err := program(filepath.Dir(dir), "log", "check", "--data-dir", dir)
		// What was not answered may be there all the same.
		if found := eventsIn(stdout); err != nil || found < tortured+taken || found > tortured+1 {
			t.Errorf("after %s, with %d answered: %v, %s%s", what, taken, err, stdout, stderr)
		}
		w := begin(t, filepath.Dir(dir))
		w.caughtUp(t)
		if gaps := gapsOf(t, w); len(gaps) > 0 {
			t.Errorf("after %s the log lacks %s: %s", what, gaps, w.log.String())
		}
		if code, _, err := fetch(w.web + fmt.Sprint("/orders/digicert/", tortured-1)); code != 200 || err != nil {
			t.Errorf("after %s the pages lack the last order: %d, %v", what, code, err)
		}
		w.end()
	}
}

// eventsIn returns how many events a report of the log says that it has.
func eventsIn(report string) (n int) {
	fmt.Sscanf(strings.ReplaceAll(report, ",", ""), "The log has %d events", &n)
	return n
}

// disturbed starts a server of which a system call fails once, delivers to it if it comes up, and ends it. It returns
// how many deliveries were answered.
func disturbed(t *testing.T, dir, what string) (taken int) {
	t.Helper()
	serving, err := exec.LookPath("certtrail")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(filepath.Dir(dir), "disturbed")
	call, _, _ := strings.Cut(what, ":")
	writeText(t, script, fmt.Sprintf("#!/bin/sh\nexec strace -D -f --seccomp-bpf -qq -o /dev/null -e trace=%s -e inject=%s %s \"$@\"\n", call, what, serving))
	if err := os.Chmod(script, 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := launchAs(script, filepath.Dir(dir), append(os.Environ(), testEnvironment()...), "--data-dir", dir)
	if err != nil {
		if text := err.Error(); strings.Contains(text, "panic:") || strings.Contains(text, "goroutine ") || !strings.Contains(text, "certtrail: ") && !strings.Contains(text, "certtrail ended ") {
			t.Errorf("%s ended the start with no sentence: %s", what, text)
		}
		return 0
	}
	if code, _, err := w.deliver("digicert", issuedDelivery(1_000_000)); err == nil && code == 200 {
		taken++
	}
	w.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-w.exited:
		w.cmd = nil
	case <-time.After(20 * time.Second):
		t.Errorf("after %s the server does not stop: %s", what, w.log.String())
		w.end()
	}
	return taken
}

// TestDamagedFilesCostTheDamagedRecord flips a bit of a file of the data directory, or cuts it: three starts in a row
// lose at most what was damaged, say it each time, and neither hang nor take much memory. The long form is make
// torture.
func TestDamagedFilesCostTheDamagedRecord(t *testing.T) {
	t.Parallel()
	clean, killed := base(t)
	chance := rand.New(rand.NewPCG(*seed, 2))
	for n := range tortures(3) {
		dir := copyOf(t, map[bool]string{true: clean, false: killed}[n%2 == 0])
		what, lost := damageFile(t, dir, chance)
		for start := range 3 {
			w, err := launch(filepath.Dir(dir), append(os.Environ(), testEnvironment()...), "--data-dir", dir)
			if err != nil {
				// A start may be refused with a sentence; nothing of the log is gone then.
				if text := err.Error(); strings.Contains(text, "goroutine ") || !strings.Contains(text, "certtrail: ") {
					t.Errorf("%s, start %d: %s", what, start, text)
				}
				continue
			}
			t.Cleanup(w.end)
			w.caughtUp(t)
			list := gapsOf(t, w)
			if gone := list.Events(); gone > uint64(lost) {
				t.Errorf("%s, start %d: %s gone", what, start, list)
			} else if lost > 0 && lost < tortured && gone == 0 {
				t.Errorf("%s, start %d: it is not said", what, start)
			}
			if kb := peakMemory(t, w.cmd.Process.Pid); kb > 1<<20 {
				t.Errorf("%s, start %d: it took %d MiB", what, start, kb>>10)
			}
			if err := w.stop(); err != nil {
				t.Errorf("%s, start %d: %v", what, start, err)
			}
		}
	}
}

// damageFile damages a file of a data directory as chance has it. lost is how many events that may cost at most.
func damageFile(t *testing.T, dir string, chance *rand.Rand) (what string, lost int) {
	t.Helper()
	var files []string
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() && info.Size() > 0 && !strings.Contains(path, "/keys/") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	path := files[chance.IntN(len(files))]
	if chance.IntN(2) == 0 {
		blocks, err := filepath.Glob(filepath.Join(dir, "nats/jetstream/*/streams/*/msgs/*.blk"))
		if err != nil || len(blocks) < 2 {
			t.Fatal(blocks, err)
		}
		path = blocks[chance.IntN(len(blocks))]
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	isBlock := strings.HasSuffix(path, ".blk")
	at := chance.IntN(len(b))
	if chance.IntN(4) == 0 {
		if isBlock {
			lost = bytes.Count(b[max(0, at-1<<16):], []byte(`"order_id":"`)) + 1
		}
		what, b = fmt.Sprintf("%s cut to %d of %d bytes", filepath.Base(path), at, len(b)), b[:at]
	} else {
		bit := chance.IntN(8)
		if b[at] ^= 1 << bit; isBlock {
			lost = 1
		}
		what = fmt.Sprintf("bit %d of byte %d of %s flipped", bit, at, filepath.Base(path))
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return what, lost
}

func gapsOf(t *testing.T, w *world) schema.Gaps {
	t.Helper()
	var status struct{ Stream struct{ Gaps schema.Gaps } }
	_, body, err := fetch(w.web + "/api/v1/status")
	if err == nil {
		err = json.Unmarshal(body, &status)
	}
	if err != nil {
		t.Fatal(err)
	}
	return status.Stream.Gaps
}

// peakMemory returns the most that a process has held, in KiB.
func peakMemory(t *testing.T, pid int) (kb int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		t.Fatal(err)
	}
	return kb
}
