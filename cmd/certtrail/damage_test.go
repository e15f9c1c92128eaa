package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamageIsTold exports and backs up a log that lost an event in the middle and its last one.
func TestDamageIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lines := strings.SplitAfter(string(importLines(9)), "\n")[:9]
	writeText(t, filepath.Join(dir, "e.jsonl"), strings.Join(lines, ""))
	if _, stderr, err := program(dir, "import", "--data-dir", "data", "e.jsonl"); err != nil {
		t.Fatal(stderr)
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "data/nats/jetstream/*/streams/*/msgs/*.blk"))
	if err != nil || len(blocks) != 1 {
		t.Fatal(blocks, err)
	}
	block := []byte(read(t, blocks[0]))
	for _, word := range []string{`"order_id":"3"`, `"order_id":"8"`} {
		block[bytes.Index(block, []byte(word))+len(word)-2] ^= 1
	}
	writeText(t, blocks[0], string(block))
	for _, args := range [][]string{{"export", "--data-dir", "data", "out.jsonl"}, {"backup", "--data-dir", "data", "b"}, {"restore", "--data-dir", "restored", "b"}} {
		_, stderr, err := program(dir, args...)
		if err != nil || !strings.Contains(stderr, "7 events") || !strings.Contains(stderr, "warning: event 4 is gone from the log") || !strings.Contains(stderr, "warning: event 9 is gone from the log") {
			t.Errorf("%s: %v, %s", args[0], err, stderr)
		}
	}
	if _, stderr, err := program(dir, "import", "--data-dir", "restored", "e.jsonl"); err != nil || stderr != "imported 2 events, 7 were there already\n" {
		t.Errorf("the events that were lost: %v, %s", err, stderr)
	}
}

// TestForgedManifest sees that a restored log is held against what the manifest says of it.
func TestForgedManifest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeText(t, filepath.Join(dir, "e.jsonl"), string(importLines(9)))
	for _, args := range [][]string{{"import", "--data-dir", "data", "e.jsonl"}, {"backup", "--data-dir", "data", "b"}} {
		if _, stderr, err := program(dir, args...); err != nil {
			t.Fatal(stderr)
		}
	}
	path := filepath.Join(dir, "b", manifestName)
	writeText(t, path, strings.Replace(read(t, path), `"events": 9`, `"events": 8`, 1))
	w := begin(t, dir, "--data-dir", "served")
	for _, data := range []string{"offline", "served"} {
		_, stderr, err := program(dir, "restore", "--data-dir", data, "b")
		if err == nil || !strings.Contains(stderr, "nothing was restored: the restored log has 9 events") {
			t.Errorf("%v, %s", err, stderr)
		}
		if left, err := filepath.Glob(filepath.Join(dir, data, preparedName+"*")); len(left) > 0 || err != nil {
			t.Errorf("%v is left, %v", left, err)
		}
	}
	w.caughtUp(t)
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

// TestImportAnswersAtOnce sees that what is wrong is said while standard input stays open, and that a server stops while an import waits for more.
func TestImportAnswersAtOnce(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	begun := func() (io.WriteCloser, *lockedBuffer, *exec.Cmd) {
		cmd := exec.Command("certtrail", "import", "--data-dir", "data", "-")
		errs := &lockedBuffer{}
		cmd.Dir, cmd.Stderr, cmd.Env = w.cmd.Dir, errs, append(os.Environ(), testEnvironment()...)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill() })
		return in, errs, cmd
	}
	in, errs, cmd := begun()
	io.WriteString(in, "rubbish\n")
	if err := cmd.Wait(); err == nil || !strings.Contains(errs.String(), "line 1 of standard input is not a CloudEvent") {
		t.Errorf("%v, %s", err, errs)
	}
	in.Close()

	in, errs, cmd = begun()
	in.Write(importLines(portionEvents + 1))
	w.caughtUp(t)
	for n := 0; n == 0; { // until the import is under way
		n = len(events(t, w, 0))
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(errs.String(), "is stopping") {
		t.Errorf("%v, %s", err, errs)
	}
	in.Close()
}
