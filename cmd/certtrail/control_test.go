package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// program runs a command to its end.
func program(dir string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command("certtrail", args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	cmd.Env = append(os.Environ(), testEnvironment()...)
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// TestTail follows a running server: an event shows when it is taken, and the server's end is told.
func TestTail(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	cmd := exec.Command("certtrail", "tail", "--data-dir", "data", "certs.order.issued.>")
	var errs lockedBuffer
	cmd.Dir, cmd.Stderr = w.cmd.Dir, &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	var shown atomic.Bool
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(out).ReadString('\n')
		shown.Store(true)
		line <- text
		io.Copy(io.Discard, out)
	}()
	for order := 1; !shown.Load() && order < 20_000; order++ { // it may not have connected yet
		if status, body, err := w.deliver("digicert", issuedDelivery(order)); status != http.StatusOK {
			t.Fatalf("%d %s %v", status, body, err)
		}
	}
	if text := <-line; !strings.Contains(text, "  certs.order.issued.digicert.") || !strings.Contains(text, "  Issued certificate ") {
		t.Errorf("tail shows %q", text)
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(errs.String(), "is stopping") {
		t.Errorf("tail ended with %v: %s", err, errs.String())
	}
}

// TestBackupWhileDeliveriesArrive backs up a log that grows: the backup is checked, whole, and a prefix of what the log
// becomes.
func TestBackupWhileDeliveriesArrive(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir)
	stop := make(chan struct{})
	var group sync.WaitGroup
	var order atomic.Int64
	enough := make(chan struct{})
	for range 8 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := int(order.Add(1))
				if status, body, err := w.deliver("digicert", issuedDelivery(n)); status != http.StatusOK {
					t.Errorf("%d %s %v", status, body, err)
					return
				}
				if n == 500 {
					close(enough)
				}
			}
		})
	}
	<-enough
	_, stderr, err := program(dir, "backup", "--data-dir", "data", "b")
	close(stop)
	group.Wait()
	if err != nil {
		t.Fatal(stderr)
	}
	if _, stderr, err := program(dir, "restore", "--data-dir", "restored", "b"); err != nil {
		t.Fatal(stderr)
	}
	live, _, err := program(dir, "export", "--data-dir", "data")
	if err != nil {
		t.Fatal(err)
	}
	restored, _, err := program(dir, "export", "--data-dir", "restored")
	if err != nil || strings.Count(restored, "\n") < 450 || !strings.HasPrefix(live, restored) {
		t.Errorf("%d events were restored, of %d: %v", strings.Count(restored, "\n"), strings.Count(live, "\n"), err)
	}
}

// TestCommandsShareADirectory runs several commands at once on a directory without a server: whoever comes first serves
// the others.
func TestCommandsShareADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := `{"specversion":"1.0","id":"%d","source":"/hooks/digicert","type":"certtrail.order.issued.v1","subject":"order/digicert/1","time":"2026-01-01T00:00:00.000Z","data":{"provider":"digicert","order_id":"1"}}` + "\n"
	var b strings.Builder
	for n := range 1000 {
		fmt.Fprintf(&b, e, n)
	}
	if err := os.WriteFile(filepath.Join(dir, "e.jsonl"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, err := program(dir, "import", "--data-dir", "data", "e.jsonl"); err != nil {
		t.Fatal(stderr)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			stdout, stderr, err := program(dir, "export", "--data-dir", "data")
			// One may ask while the first goes.
			if err != nil && !strings.Contains(stderr, "is stopping") && !strings.Contains(stderr, "ended in the middle") {
				t.Errorf("%v: %s", err, stderr)
			}
			if err == nil && strings.Count(stdout, "\n") != 1000 {
				t.Errorf("%d lines", strings.Count(stdout, "\n"))
			}
		})
	}
	group.Wait()
}

func TestGapsAreTold(t *testing.T) {
	var b bytes.Buffer
	warnOfGaps(&b, []schema.Gap{{First: 3, Last: 3}, {First: 7, Last: 9}})
	const want = "warning: event 3 is gone from the log; see the operating guide on gaps\nwarning: events 7 to 9 are gone from the log; see the operating guide on gaps\n"
	if b.String() != want {
		t.Error(b.String())
	}
}
