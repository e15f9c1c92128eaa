package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestRestoreWhileDeliveriesArrive restores into a running server that is still empty while deliveries come in: whether
// the backup or a delivery is first, every delivery that was answered is in the log.
func TestRestoreWhileDeliveriesArrive(t *testing.T) {
	dir := t.TempDir()
	e := `{"specversion":"1.0","id":"a:%d","source":"/hooks/digicert","type":"certtrail.order.issued.v1","subject":"order/digicert/x","time":"2026-01-01T00:00:00.000Z","data":{"provider":"digicert","order_id":"x"}}` + "\n"
	var b strings.Builder
	for n := range 500 {
		fmt.Fprintf(&b, e, n)
	}
	writeText(t, filepath.Join(dir, "e.jsonl"), b.String())
	for _, args := range [][]string{{"import", "--data-dir", "old", "e.jsonl"}, {"backup", "--data-dir", "old", "b"}} {
		if _, stderr, err := program(dir, args...); err != nil {
			t.Fatal(stderr)
		}
	}
	outcomes := map[bool]int{}
	for round := range 4 {
		name := fmt.Sprint("data", round)
		w := begin(t, dir, "--data-dir", name)
		restored := make(chan string)
		go func() {
			_, stderr, err := program(dir, "restore", "--data-dir", name, "b")
			if err == nil {
				stderr = ""
			}
			restored <- stderr
		}()
		if round == 0 { // nothing disturbs it
			if stderr := <-restored; stderr != "" {
				t.Fatal(stderr)
			}
			restored = nil
		}
		answered, stderr := deliverUntil(w, restored, round)
		if stderr != "" && !strings.Contains(stderr, "nothing was restored: ") {
			t.Error(stderr)
		}
		outcomes[stderr == ""]++
		exported, _, err := program(dir, "export", "--data-dir", name)
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(exported, `"id":"a:499"`); has != (stderr == "") {
			t.Errorf("restored: %v, but the command said %q", has, stderr)
		}
		for _, order := range answered {
			if !strings.Contains(exported, fmt.Sprintf(`"order_id":"%d"`, order)) {
				t.Errorf("order %d was answered, and is gone; the restore said %q", order, stderr)
			}
		}
		if err := w.stop(); err != nil {
			t.Error(err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, name, "nats.restoring-*")); len(left) > 0 || err != nil {
			t.Errorf("%v is left, %v", left, err)
		}
	}
	t.Logf("restored: %v", outcomes)
}

// deliverUntil delivers until restored says what became of the restore; nil: a few times. It returns the orders that
// were answered.
func deliverUntil(w *world, restored <-chan string, round int) (answered []int, stderr string) {
	order := 0
	deliverOne := func() {
		order++
		if status, _, err := w.deliver("digicert", issuedDelivery(order)); err == nil && status == http.StatusOK {
			answered = append(answered, order)
		}
	}
	if restored == nil {
		for len(answered) < 3 {
			deliverOne()
		}
		return answered, ""
	}
	for {
		select {
		case stderr := <-restored:
			return answered, stderr
		default:
			// In the second round a delivery comes at once; in those after it when the restore has been let in.
			preparing, _ := filepath.Glob(filepath.Join(w.cmd.Dir, fmt.Sprint("data", round), "nats.restoring-*"))
			if round == 1 || len(preparing) > 0 || len(answered) > 0 {
				deliverOne()
			}
		}
	}
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLargeEvents carries events of the largest size out and in, over the socket.
func TestLargeEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	line := func(n, size int) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":"l:%d","source":"/hooks/digicert","type":"certtrail.order.issued.v1","time":"2026-01-01T00:00:00.000Z","data":{"provider":"digicert","order_id":"%d","reason":"%s"}}`,
			n, n, strings.Repeat("x", size))
	}
	writeText(t, filepath.Join(dir, "e.jsonl"), line(1, 8<<20-2000)+"\n"+line(2, 1)+"\r\n\n"+line(3, 8<<20-2000))
	w := begin(t, dir)
	if _, stderr, err := program(dir, "import", "--data-dir", "data", "e.jsonl"); err != nil || stderr != "imported 3 events\n" {
		t.Fatal(err, stderr)
	}
	if _, stderr, err := program(dir, "export", "--data-dir", "data", "out.jsonl"); err != nil {
		t.Fatal(stderr)
	}
	out := strings.Split(read(t, filepath.Join(dir, "out.jsonl")), "\n")
	if len(out) != 4 || len(out[0]) < 8<<20-2000 || !json.Valid([]byte(out[2])) || !strings.Contains(out[1], `"id":"l:2"`) {
		t.Errorf("%d lines of %d, %d bytes…", len(out), len(out[0]), len(out[1]))
	}
	writeText(t, filepath.Join(dir, "e.jsonl"), line(4, 1)+"\n"+line(5, 8<<20)+"\n"+line(6, 1)+"\n")
	if _, stderr, err := program(dir, "import", "--data-dir", "data", "e.jsonl"); err == nil || !strings.Contains(stderr, "line 2 of e.jsonl is longer than the 8,38") {
		t.Error(err, stderr)
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

// TestImportsTogether runs the same import many times at once: each event is in the log once.
func TestImportsTogether(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	for _, line := range strings.SplitAfter(string(importLines(3000)), "\n") {
		b.WriteString(line)
	}
	writeText(t, filepath.Join(dir, "e.jsonl"), b.String())
	w := begin(t, dir)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				_, stderr, err := program(dir, "import", "--data-dir", "data", "e.jsonl")
				if err == nil {
					return
				}
				if !strings.Contains(stderr, "another import is under way") {
					t.Error(stderr)
					return
				}
			}
		})
	}
	group.Wait()
	exported, _, err := program(dir, "export", "--data-dir", "data")
	if n := strings.Count(exported, "\n"); err != nil || n != 3000 {
		t.Errorf("%d events, %v", n, err)
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}
