package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/projections"
)

var residentFor = flag.Duration("resident-for", 2*time.Minute, "how `long` BenchmarkSoakResident serves each log")

// BenchmarkSoakResident serves a log with forty pages open and a hundred deliveries a second, and reports the memory of
// the server's process: at its start, at most and at the end. It fails if there is more at the end than there may be.
// For an hour: -args -resident-for 1h.
func BenchmarkSoakResident(b *testing.B) {
	for _, c := range []struct {
		events  int
		mostMiB float64
	}{{144_000, 250}, {1_000_000, 400}} {
		b.Run(fmt.Sprintf("events=%d", c.events), func(b *testing.B) {
			dir := b.TempDir()
			filled(b, node.LogDir(filepath.Join(dir, "data")), c.events).Close()
			build := serveIn(b, dir)
			awaitLive(b, build)
			if err := build.stop(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				w := serveIn(b, dir)
				awaitLive(b, w)
				start := residentOf(b, w)
				end, most := underLoad(b, w, *residentFor)
				b.ReportMetric(start, "start-MiB")
				b.ReportMetric(most, "most-MiB")
				b.ReportMetric(end, "end-MiB")
				if end > c.mostMiB {
					b.Errorf("%.0f MiB are resident, more than %.0f", end, c.mostMiB)
				}
				if err := w.stop(); err != nil {
					b.Error(err)
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// serveIn runs a server in its own process, on the data directory in dir.
func serveIn(b *testing.B, dir string) *world {
	b.Helper()
	w, err := launch(dir, append(os.Environ(), testEnvironment()...), "--data-dir", filepath.Join(dir, "data"), "--log-level", "error")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.end)
	return w
}

// awaitLive waits until the read models are built and follow the log, however long that takes.
func awaitLive(b *testing.B, w *world) {
	b.Helper()
	for {
		var status struct{ Projections []projections.Status }
		code, body, err := fetch(w.web + "/api/v1/status")
		if err != nil || code != http.StatusOK || json.Unmarshal(body, &status) != nil {
			b.Fatalf("the status is %d %s, %v", code, body, err)
		}
		if status.Projections[0].State == projections.StateLive && status.Projections[0].Lag == 0 {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
}

// underLoad keeps forty pages open and delivers a hundred times a second for a time. It returns the memory of the
// server at the end and at most.
func underLoad(b *testing.B, w *world, duration time.Duration) (end, most float64) {
	ctx, stop := context.WithCancel(context.Background())
	var clients sync.WaitGroup
	defer clients.Wait()
	defer stop()
	paths := []string{"/", "/orders", "/orders?state=issued", "/orders/digicert/100123", "/certificates", "/domains", "/events", "/system"}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 80}}
	defer client.CloseIdleConnections()
	for n := range 40 {
		p := &openPage{base: w.web, path: paths[n%len(paths)], client: client, changed: func(uint64, time.Time) {}}
		clients.Go(func() {
			if err := p.follow(ctx, func() {}); ctx.Err() == nil {
				b.Errorf("%s: %v", p.path, err)
			}
		})
	}
	clients.Go(func() { deliverSteadily(ctx, b, w.hooks) })
	ended := time.After(duration)
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-ended:
			return end, most
		case <-tick.C:
			end = residentOf(b, w)
			most = max(most, end)
		}
	}
}
