package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The torture takes minutes: make torture runs it, make bench does not.

// BenchmarkTortureReaders lets two hundred clients ask for the largest page of events, and read nothing. It fails if
// they add 300 MiB to the server, if that is not given back within a minute, or if deliveries take twice their time
// meanwhile.
func BenchmarkTortureReaders(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		w, err := launch(dir, append(os.Environ(), testEnvironment()...), "--data-dir", filepath.Join(dir, "data"))
		if err != nil {
			b.Fatal(err)
		}
		defer w.end()
		for i := range 300 {
			deliverLarge(b, w, i, 300_000+i%3*340_000)
		}
		w.caughtUp(b)
		usual := deliverFor(b, w, 10*time.Second, 1000)
		before := residentOf(b, w)
		stop := askedAndUnread(b, 200, w.web, "/api/v1/events?limit=1000")
		defer stop()
		most := before
		var meanwhile []time.Duration
		for i := range 20 {
			meanwhile = append(meanwhile, deliverFor(b, w, time.Second, 100_000+10_000*i)...)
			most = max(most, residentOf(b, w))
		}
		stop()
		left := most
		for deadline := time.Now().Add(time.Minute); left > before+50 && time.Now().Before(deadline); {
			deliverFor(b, w, time.Second, 1_000_000)
			left = residentOf(b, w)
		}
		b.ReportMetric(before, "before-MiB")
		b.ReportMetric(most-before, "more-MiB")
		b.ReportMetric(left-before, "left-MiB")
		b.ReportMetric(p99(usual), "usual-p99-ms")
		b.ReportMetric(p99(meanwhile), "p99-ms")
		if most-before > 300 || left-before > 50 || p99(meanwhile) > 2*p99(usual) {
			b.Errorf("readers who do not read cost %.0f MiB, %.0f after a minute; a delivery takes %.1f ms (p99), usually %.1f", most-before, left-before, p99(meanwhile), p99(usual))
		}
	}
	b.ReportMetric(0, "ns/op")
}

func p99(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)*99/100].Microseconds()) / 1000
}

// deliverLarge delivers an order whose event has about so many bytes.
func deliverLarge(t testing.TB, w *world, order, bytes int) {
	t.Helper()
	d := issuedDelivery(order)
	d.Body = slices.Concat([]byte(`{"pad":"`+strings.Repeat("x", bytes)+`",`), d.Body[1:])
	if status, body, err := w.deliver("digicert", d); err != nil || status != http.StatusOK {
		t.Fatalf("delivery %d: %d %s, %v\n%s", order, status, body, err, w.log.String())
	}
}

// deliverFor delivers a hundred times a second for so long, from order number first on, and tells how long each took.
func deliverFor(t testing.TB, w *world, long time.Duration, first int) (took []time.Duration) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		began := time.Now()
		if status, body, err := w.deliver("digicert", issuedDelivery(first+len(took))); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s, %v\n%s", status, body, err, w.log.String())
		}
		took = append(took, time.Since(began))
	}
	return took
}

// residentOf returns the memory of the server's process in MiB, as the kernel counts it.
func residentOf(t testing.TB, w *world) float64 {
	t.Helper()
	return residentIn(t, w.cmd.Process.Pid)
}
