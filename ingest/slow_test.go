package ingest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/xolphin"
	"github.com/certtrail/certtrail/schema"
)

// slowEdge serves two sources on a real listener, with room for 8 deliveries and 1 MiB.
func slowEdge(t *testing.T, log Log, wait time.Duration) (h *Handler, address string) {
	t.Helper()
	h = New(Options{Sources: []*Source{source(digicert.System, "digicert"), source(xolphin.System, "xolphin")}, Log: log, Keys: persons, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), BodyWait: wait})
	h.inFlight, h.held = newBound(8), newBound(1<<20)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return h, server.Listener.Addr().String()
}

// begin sends the head of a delivery of DigiCert and the beginning of its body, which it announces to be longer.
func begin(t *testing.T, address, body string, length int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "POST /hooks/digicert HTTP/1.1\r\nHost: x\r\nX-Webhook-Key: %s\r\nContent-Length: %d\r\n\r\n%s", credential("webhook-key"), length, body)
	return c
}

func answerOf(t *testing.T, c net.Conn) *http.Response {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, r.Body)
	r.Body.Close()
	return r
}

// deliver delivers whole, and returns the status.
func deliver(t *testing.T, address, name string) int {
	t.Helper()
	url := "http://" + address + "/hooks/" + name
	r, err := http.NewRequest("POST", url, strings.NewReader(`{"event":"certificate_issued","data":{"order_id":7,"certificate_id":8}}`))
	if name == "xolphin" {
		r, err = http.NewRequest("GET", url+"/"+credential("token")+"?RequestId=1&Status=Updated&State=DCV&Domain=x.example", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Webhook-Key", credential("webhook-key"))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// until waits for what holds soon.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it does not come to this: " + what)
		}
	}
}

func (b *bound) now() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all
}

// TestSlowBodies: who announces large bodies and does not send them keeps out neither others nor themselves, holds
// little, and is answered in the end.
func TestSlowBodies(t *testing.T) {
	const slow = 60
	h, address := slowEdge(t, takesAll{}, 2*time.Second)
	var connections []net.Conn
	for range slow {
		connections = append(connections, begin(t, address, "{", 1_000_000))
	}
	until(t, "all slow bodies are being read", func() bool { return h.held.now() == slow*firstRoom })
	for range 20 {
		for _, name := range []string{"digicert", "xolphin"} {
			if status := deliver(t, address, name); status != http.StatusOK {
				t.Fatalf("beside slow bodies of digicert a delivery of %s is answered %d", name, status)
			}
		}
	}
	for _, c := range connections {
		if r := answerOf(t, c); r.StatusCode != http.StatusBadRequest || !r.Close {
			t.Fatalf("a body that does not come is answered %d, closed %v", r.StatusCode, r.Close)
		}
	}
	until(t, "nothing is held", func() bool { return h.held.now() == 0 })
}

// TestBodiesHoldABoundedMemory: what bodies of one source hold while they come is at most a quarter of what all may.
func TestBodiesHoldABoundedMemory(t *testing.T) {
	h, address := slowEdge(t, takesAll{}, 20*time.Second)
	sent := strings.Repeat(" ", 100_000) // for which there is room of 128 KiB, two of them
	for range 2 {
		begin(t, address, sent, 1_000_000)
	}
	until(t, "two bodies have come as far as they come", func() bool { return h.held.now() == 256<<10 })
	r := answerOf(t, begin(t, address, sent, 1_000_000))
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("beyond its quarter a source is answered %d %v", r.StatusCode, r.Header)
	}
	if status := deliver(t, address, "xolphin"); status != http.StatusOK {
		t.Errorf("another source is answered %d", status)
	}
	if n := h.o.Sources[0].Counts().Lost; n != 1 {
		t.Errorf("%d are counted as lost, want the one", n)
	}
}

// heldLog takes events of one source only when it is told to.
type heldLog struct {
	of    string
	begun chan struct{}
	more  chan struct{}
}

func (l *heldLog) Append(ctx context.Context, e *schema.Event) (uint64, error) {
	if e.Data.Provider == l.of {
		l.begun <- struct{}{}
		select {
		case <-l.more:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return 1, nil
}

// TestOneSourceWaits: of the places for deliveries that wait for the log, one source has a quarter.
func TestOneSourceWaits(t *testing.T) {
	log := &heldLog{of: "digicert", begun: make(chan struct{}, 8), more: make(chan struct{})}
	h, address := slowEdge(t, log, 20*time.Second)
	statuses := make(chan int)
	for range 2 {
		go func() { statuses <- deliver(t, address, "digicert") }()
		<-log.begun
	}
	if status := deliver(t, address, "digicert"); status != http.StatusServiceUnavailable || len(log.begun) > 0 {
		t.Errorf("beyond its quarter a source is answered %d", status)
	}
	for range 10 {
		if status := deliver(t, address, "xolphin"); status != http.StatusOK {
			t.Errorf("another source is answered %d", status)
		}
	}
	close(log.more)
	for range 2 {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("who waited is answered %d", status)
		}
	}
	until(t, "no place is taken", func() bool { return h.inFlight.now() == 0 })
}
