package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/schema"
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
	if _, stderr, err := program(dir, "import", "--data-dir", "restored", "e.jsonl"); err != nil || !strings.HasSuffix(stderr, "imported 2 events, 7 were there already\n") {
		t.Errorf("the events that were lost: %v, %s", err, stderr)
	}
}

// TestDamageBehindTheReadModels damages an event in the middle of a closed log, of which the read models hold all: it
// is told by the next server, so is what a replay would lose, and what it has lost; and that the event is back when the
// file is mended.
func TestDamageBehindTheReadModels(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir)
	for order := 1; order <= 6; order++ {
		if code, body, err := w.deliver("digicert", issuedDelivery(order)); code != 200 || err != nil {
			t.Fatal(code, string(body), err)
		}
	}
	w.lacks(t, `[]`, `[]`, "Nothing is wrong.", "No event is missing.")
	mend := damageEvent(t, w, dir, `"order_id":4`)

	w = begin(t, dir)
	w.lacks(t, `[{"first_seq":4,"last_seq":4}]`, `[{"first_seq":4,"last_seq":4}]`,
		"1 event is missing from the log (4). The pages still show what came of it, and a replay would lose that: compare with a backup first.")
	for path, want := range map[string]int{"/events/4": 404, "/orders/digicert/4": 200} {
		if code, _, err := fetch(w.web + path); code != want || err != nil {
			t.Errorf("%s: %d, %v", path, code, err)
		}
	}
	const held = "1 event that the read models in use held is gone from the log (4), and "
	if _, stderr, err := program(dir, "replay", "--data-dir", "data", "--verify"); err == nil || !strings.Contains(stderr, held+"a replay would lose what came of that") {
		t.Errorf("verify: %v, %s", err, stderr)
	}
	if _, stderr, err := program(dir, "replay", "--data-dir", "data"); err != nil || !strings.Contains(stderr, "warning: "+held+"not in the new ones any more") {
		t.Errorf("replay: %v, %s", err, stderr)
	}
	w.lacks(t, `[{"first_seq":4,"last_seq":4}]`, `[]`, "1 event is missing from the log (4). The pages were built without it. Restore a backup elsewhere")
	if _, stderr, err := program(dir, "replay", "--data-dir", "data"); err != nil || strings.Contains(stderr, "warning") {
		t.Errorf("a second replay: %v, %s", err, stderr)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}

	mend()
	w = begin(t, dir)
	w.lacks(t, `[]`, `[]`, "They were built while 4 could not be read.")
	if _, stderr, err := program(dir, "replay", "--data-dir", "data"); err != nil {
		t.Errorf("replay: %v, %s", err, stderr)
	}
	w.lacks(t, `[]`, `[]`, "Nothing is wrong.")
	damageEvent(t, w, dir, `"order_id":2`)
	if _, stderr, err := program(dir, "replay", "--data-dir", "data"); err != nil || !strings.Contains(stderr, "is gone from the log (2), and not in the new ones any more") {
		t.Errorf("replay without a server: %v, %s", err, stderr)
	}
}

// damageEvent stops the server and overwrites 8 bytes of the one event whose body begins so; mend puts them back.
func damageEvent(t *testing.T, w *world, dir, body string) (mend func()) {
	t.Helper()
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "data/nats/jetstream/*/streams/*/msgs/*.blk"))
	if err != nil || len(blocks) != 1 {
		t.Fatal(blocks, err)
	}
	sound := read(t, blocks[0])
	at := strings.Index(sound, body)
	if at < 0 {
		t.Fatalf("no event has %s", body)
	}
	writeText(t, blocks[0], sound[:at]+"damaged!"+sound[at+8:])
	return func() { writeText(t, blocks[0], sound) }
}

// lacks waits until the server has read the log to its end, and sees what it says of gaps everywhere; held are those
// of gaps that the read models hold.
func (w *world) lacks(t *testing.T, gaps, held string, onSystem ...string) {
	t.Helper()
	w.caughtUp(t)
	var status struct{ Stream map[string]json.RawMessage }
	w.await(t, "the log is not read to its end", func() bool {
		_, body, err := fetch(w.web + "/api/v1/status")
		return err == nil && json.Unmarshal(body, &status) == nil && string(status.Stream["gaps_known"]) == "true"
	})
	if got := status.Stream; string(got["gaps"]) != gaps || string(got["gaps_held"]) != held {
		t.Errorf("the status says %s, want %s, of which %s are held", got, gaps, held)
	}
	var list schema.Gaps
	if err := json.Unmarshal([]byte(gaps), &list); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"/readyz": {`"gaps":` + gaps}, "/metrics": {fmt.Sprintf("certtrail_log_gap_events %d\n", list.Events())}, "/system": onSystem,
	} {
		_, body, err := fetch(w.web + path)
		for _, text := range want {
			if err != nil || !strings.Contains(string(body), text) {
				t.Errorf("%s lacks %q (%v): %s", path, text, err, body)
			}
		}
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
	path := filepath.Join(dir, "b", "manifest.json")
	writeText(t, path, strings.Replace(read(t, path), `"events": 9`, `"events": 8`, 1))
	w := begin(t, dir, "--data-dir", "served")
	for _, data := range []string{"offline", "served"} {
		_, stderr, err := program(dir, "restore", "--data-dir", data, "b")
		if err == nil || !strings.Contains(stderr, "nothing was restored: the restored log has 9 events") {
			t.Errorf("%v, %s", err, stderr)
		}
		if left, err := filepath.Glob(filepath.Join(dir, data, "nats.restoring-*")); len(left) > 0 || err != nil {
			t.Errorf("%v is left, %v", left, err)
		}
	}
	w.caughtUp(t)
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

// TestImportAnswersAtOnce sees that what is wrong is said while standard input stays open, and that a server stops
// while an import waits for more.
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
	in.Write(importLines(4097))
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
