package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// TestBackupWhileDeliveriesArrive backs up a log that grows: the backup is checked, whole, and a prefix of what the log becomes.
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

// TestCommandsShareADirectory runs several commands at once on a directory without a server: whoever comes first serves the others.
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

func TestSocket(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), strings.Repeat("long", 40), strings.Repeat("path", 40))} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		stale, err := listenControl(dir) // as if its process had been killed
		if err != nil {
			t.Fatal(err)
		}
		stale.l.Close()
		if _, _, err := findOwner(context.Background(), dir); !errors.Is(err, errNoOwner) {
			t.Errorf("a stale socket is taken for an owner: %v", err)
		}
		s, err := listenControl(dir)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, controlName))
		if err != nil || info.Mode().Perm() != 0o600 || info.Mode().Type() != os.ModeSocket {
			t.Errorf("the socket: %v, %v", info.Mode(), err)
		}
		o := newOwner(&config{systems: systems, dataDir: dir}, nil)
		s.serve(o.handler(), func(err error) { t.Error(err) })
		c, who, err := findOwner(context.Background(), dir)
		if err != nil || who.Process != os.Getpid() || who.Serving {
			t.Fatalf("the owner: %+v, %v", who, err)
		}
		if err := c.call(context.Background(), http.MethodGet, "/nothing", nil, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "another version of certtrail") {
			t.Errorf("a route that is not there: %v", err)
		}
		c.close()
		s.stop()
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
			t.Errorf("%v is left, %v", entries, err)
		}
	}
}

// TestBrokenAnswer sees that an answer that ends without its last line is an error, however whole it looks.
func TestBrokenAnswer(t *testing.T) {
	dir := t.TempDir()
	s, err := listenControl(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"seq":1,"subject":"certs.order.issued.digicert.1","event":{"id":"1"}}`+"\n")
		switch r.URL.Path {
		case "/killed":
			w.(http.Flusher).Flush()
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.Close()
		case "/error":
			io.WriteString(w, `{"error":"it went wrong"}`+"\n")
		}
	}), func(err error) { t.Error(err) })
	c := connect(dir)
	defer c.close()
	for path, want := range map[string]string{"/ended": "ended in the middle", "/killed": "ended in the middle", "/error": "it went wrong"} {
		lines := 0
		err := c.call(context.Background(), http.MethodGet, path, nil, nil, func([]byte) error { lines++; return nil }, nil)
		if err == nil || !strings.Contains(err.Error(), want) || lines != 1 {
			t.Errorf("%s: %d lines, %v", path, lines, err)
		}
	}
}

func TestGapsAreTold(t *testing.T) {
	var b bytes.Buffer
	warnOfGaps(&b, []schema.Gap{{First: 3, Last: 3}, {First: 7, Last: 9}})
	const want = "warning: event 3 is gone from the log; see the operating guide on gaps\nwarning: events 7 to 9 are gone from the log; see the operating guide on gaps\n"
	if b.String() != want {
		t.Error(b.String())
	}
}

// TestEventsOnLines writes events that are hard to put on a line and reads them back.
func TestEventsOnLines(t *testing.T) {
	for _, c := range []struct{ data, want string }{
		{`{"id":"1"}`, `{"id":"1"}`},
		{"{\n \"id\": \"a\\nb\"\n}\n", `{"id":"a\nb"}`},
		{`{"id":"<&>","x":"\",\"event\":","event":"}"}`, `{"id":"<&>","x":"\",\"event\":","event":"}"}`},
	} {
		var b bytes.Buffer
		a := &answer{w: bufio.NewWriter(&b)}
		if err := errors.Join(a.event(&schema.Record{Seq: 7, Subject: "certs.order.issued.digicert.%7B1", Data: []byte(c.data)}), a.w.Flush()); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		got, err := readStreamed([]byte(line))
		if err != nil || got.Seq != 7 || got.Subject != "certs.order.issued.digicert.%7B1" || string(got.event) != c.want || !json.Valid([]byte(line)) || strings.Contains(line, "\n") {
			t.Errorf("%q became %q: %+v, %v", c.data, line, got, err)
		}
	}
	for _, bad := range []string{``, `{"seq":1}`, `{"seq":x,"subject":"s","event":{}}`, `{"seq":1,"subject":"s","event":[]`} {
		if got, err := readStreamed([]byte(bad)); err == nil {
			t.Errorf("%q is taken for %+v", bad, got)
		}
	}
}
