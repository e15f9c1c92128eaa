package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// begin starts a server with every provider on, in a directory of the test's.
func begin(t *testing.T, dir string, args ...string) *world {
	t.Helper()
	w, err := launch(dir, append(os.Environ(), testEnvironment()...), append([]string{"--data-dir", filepath.Join(dir, "data")}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	return w
}

func issuedDelivery(order int) *provider.Delivery {
	body := fmt.Sprintf(`{"event":"certificate_issued","data":{"order_id":%d,"certificate_id":%d}}`, order, 1_000_000+order)
	return &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// TestKill sends 500 deliveries at once and kills the server in their midst: every answered one is in the stream and in
// the read models, none twice.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	w := begin(t, dir)
	const deliveries, killAfter = 500, 200
	var answered sync.Map
	var count atomic.Int64
	var group sync.WaitGroup
	dead := make(chan struct{})
	for order := range deliveries {
		group.Go(func() {
			status, _, err := w.deliver("digicert", issuedDelivery(order))
			if err == nil && status == 200 {
				answered.Store(order, true)
				if count.Add(1) == killAfter {
					w.cmd.Process.Kill()
					close(dead)
				}
			}
		})
	}
	<-dead
	group.Wait()
	<-w.exited
	w.cmd = nil

	w = begin(t, dir)
	w.caughtUp(t)
	inStream := map[string]int{}
	for after := 0; ; {
		items := events(t, w, after)
		for _, e := range items {
			inStream[e.Data.OrderID]++
			after = e.Seq
		}
		if len(items) == 0 {
			break
		}
	}
	n := 0
	answered.Range(func(order, _ any) bool {
		n++
		id := fmt.Sprint(order)
		var row struct {
			State string
			Count int `json:"event_count"`
		}
		_, body, err := fetch(w.web + "/api/v1/orders/digicert/" + id)
		if err == nil {
			err = json.Unmarshal(body, &row)
		}
		if inStream[id] != 1 || err != nil || row.State != "issued" || row.Count != 1 {
			t.Errorf("order %s was answered; it is %d times in the stream, its row is %s (%v)", id, inStream[id], body, err)
		}
		return true
	})
	if n < killAfter || n == deliveries {
		t.Errorf("%d of %d were answered: the server was not killed in their midst", n, deliveries)
	}
	for id, times := range inStream {
		if times != 1 {
			t.Errorf("order %s is %d times in the stream", id, times)
		}
	}
}

type listedEvent struct {
	Seq  int
	Data schema.Data
}

func events(t *testing.T, w *world, after int) []listedEvent {
	t.Helper()
	_, body, err := fetch(fmt.Sprintf("%s/api/v1/events?after_seq=%d&limit=1000", w.web, after))
	if err != nil {
		t.Fatal(err)
	}
	var page struct{ Items []listedEvent }
	if err := json.Unmarshal(body, &page); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return page.Items
}

var (
	syncBegins   = regexp.MustCompile(`^(\d+)\s+(\d+\.\d+) fdatasync\(\d+<([^>]*\.blk)>`)
	syncResumes  = regexp.MustCompile(`^(\d+)\s+(\d+\.\d+) <\.\.\. fdatasync resumed>.*= 0`)
	eventWritten = regexp.MustCompile(`^(\d+)\s+(\d+\.\d+) p?writev?(?:64)?\(\d+<([^>]*\.blk)>`)
	answerSent   = regexp.MustCompile(`^(\d+)\s+(\d+\.\d+) (?:write|sendto)\(\d+<[^>]*>, "HTTP/1\.1 200`)
)

// TestSyncBeforeAnswer watches the system calls of a server: the sync of the block file that the event was written to
// ends before the answer is written.
func TestSyncBeforeAnswer(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("strace is not installed: run make tools")
	}
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	w := begin(t, dir)
	tracing := exec.Command(strace, "-f", "-ttt", "-y", "-s", "32", "-e", "trace=fdatasync,fsync,write,writev,pwrite64,sendto", "-o", trace, "-p", fmt.Sprint(w.cmd.Process.Pid))
	attached, err := tracing.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tracing.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(attached)
	for lines.Scan() && !strings.Contains(lines.Text(), "attached") {
	}
	go func() {
		for lines.Scan() {
		}
	}()
	const deliveries = 20
	for order := range deliveries {
		if status, body, err := w.deliver("digicert", issuedDelivery(order)); err != nil || status != 200 {
			t.Fatalf("%d %s %v", status, body, err)
		}
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	tracing.Wait()
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	answers := 0
	written, syncing, synced := false, map[string]bool{}, false
	for line := range strings.Lines(string(b)) {
		switch {
		case eventWritten.MatchString(line):
			written, synced = true, false
		case syncBegins.MatchString(line):
			thread := syncBegins.FindStringSubmatch(line)[1]
			if strings.Contains(line, "unfinished") {
				syncing[thread] = written
			} else if strings.Contains(line, "= 0") {
				synced = synced || written
			}
		case syncResumes.MatchString(line):
			thread := syncResumes.FindStringSubmatch(line)[1]
			synced = synced || syncing[thread]
			delete(syncing, thread)
		case answerSent.MatchString(line):
			answers++
			if !written || !synced {
				t.Fatalf("answer %d was written before the sync of its event ended:\n%s", answers, b)
			}
			written, synced = false, false
		}
	}
	if answers != deliveries {
		t.Errorf("%d answers in the trace, want %d", answers, deliveries)
	}
}

// TestKillDuringRebuild kills the server at random moments of a rebuild: the next one reads what was in use, or the new
// tables if they were, and every row is what the log gives.
func TestKillDuringRebuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	remember(t, data, 1, 3_000)
	runCommand(t, "replay", "--data-dir", data)
	want := runCommand(t, "replay", "--verify", "--data-dir", data)
	for range 3 {
		w := begin(t, dir)
		w.caughtUp(t)
		rebuilding := make(chan error, 1)
		go func() {
			_, stderr, err := program("", "replay", "--data-dir", data)
			if err != nil {
				err = fmt.Errorf("%w: %s", err, stderr)
			}
			rebuilding <- err
		}()
		select {
		case <-time.After(time.Duration(rand.IntN(1000)) * time.Millisecond): // at any moment, or after it
			w.end()
			<-rebuilding
		case err := <-rebuilding:
			if err != nil {
				t.Fatal(err)
			}
			w.end()
		}
		if got := runCommand(t, "replay", "--verify", "--data-dir", data); got != want {
			t.Errorf("after a kill it is\n%s\nand was\n%s", got, want)
		}
	}
}
