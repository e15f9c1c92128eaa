package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/streams/embedded"
)

// The soaks take minutes: make soak runs them, make bench does not.

// BenchmarkSoakServing rebuilds a million events under a running server, while pages and API are read and deliveries
// arrive. It fails if an answer is no 200, or if a delivery that was answered is missing after the switch.
func BenchmarkSoakServing(b *testing.B) {
	const n = 1_000_000
	dir := b.TempDir()
	log := filled(b, node.LogDir(dir), n)
	log.Close()
	sv := inProcessOn(b, dir)
	settled(b, sv.Store)
	for b.Loop() {
		ctx, stop := context.WithCancel(context.Background())
		var serving sync.WaitGroup
		var took []time.Duration
		serving.Go(func() { took = readPages(ctx, b, sv.Config.WebURL) })
		delivered := 0
		serving.Go(func() { delivered = deliverSteadily(ctx, b, sv.Config.HooksURL) })
		began := time.Now()
		built, err := sv.Store.Rebuild(context.Background(), false, nil)
		rebuilt := time.Since(began)
		stop()
		serving.Wait()
		if err != nil {
			b.Fatal(err)
		}
		settled(b, sv.Store)
		for i := range delivered {
			if _, err := projections.One(context.Background(), sv.Store, projections.Orders, "digicert", soakOrder(i), projections.Moment{Now: time.Now()}); err != nil {
				b.Fatalf("the order of delivery %d: %v", i, err)
			}
		}
		slices.Sort(took)
		b.ReportMetric(float64(built.Seq)/rebuilt.Seconds(), "events/s")
		b.ReportMetric(float64(delivered)/rebuilt.Seconds(), "deliveries/s")
		b.ReportMetric(float64(len(took)), "pages")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "page-p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "page-p99-ms")
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "page-max-ms")
	}
	b.ReportMetric(0, "ns/op")
}

func settled(b *testing.B, store *projections.Store) {
	b.Helper()
	for {
		status, _, err := store.Status(context.Background())
		if err != nil {
			b.Fatal(err)
		}
		if status[0].State == projections.StateLive && status[0].Lag == 0 {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
}

// readPages reads pages and API one after the other, twenty a second, until ctx ends.
func readPages(ctx context.Context, b *testing.B, base string) (took []time.Duration) {
	paths := []string{
		"/", "/orders", "/api/v1/orders?limit=100", "/orders/digicert/100123", "/api/v1/certificates?sort=not_after", "/domains/host-77-5.example.com",
		"/api/v1/orders?q=host-4711-5.example.com", "/system", "/api/v1/status", "/api/v1/orders/digicert/100123?at_seq=3000", "/events",
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return took
		case <-tick.C:
		}
		began := time.Now()
		resp, err := http.Get(base + paths[i%len(paths)])
		if err != nil {
			b.Error(err)
			return took
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		took = append(took, time.Since(began))
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Errorf("%s answered %d, %v", paths[i%len(paths)], resp.StatusCode, err)
		}
	}
}

func soakOrder(i int) string { return strconv.Itoa(50_000_000 + i) }

// deliverSteadily delivers a hundred times a second until ctx ends, and returns how many were answered 200.
func deliverSteadily(ctx context.Context, b *testing.B, base string) (delivered int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return delivered
		case <-tick.C:
		}
		req, err := http.NewRequest("POST", base+"/hooks/digicert", strings.NewReader(fmt.Sprintf(`{"event":"order_rejected","data":{"order_id":%s,"certificate_id":1}}`, soakOrder(delivered))))
		if err != nil {
			b.Error(err)
			return delivered
		}
		req.Header.Set("X-WEBHOOK-KEY", testKey)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Error(err)
			return delivered
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			b.Errorf("a delivery was answered %d", resp.StatusCode)
			return delivered
		}
		delivered++
	}
}

// BenchmarkSoakMemory rebuilds five million events and reports by how much the process grows beyond what it holds with
// the log open, whose index of subjects is the server's.
func BenchmarkSoakMemory(b *testing.B) {
	const n = 5_000_000
	dir := b.TempDir()
	filled(b, dir, n).Close()
	defer node.Tune()()
	log, err := embedded.Open(context.Background(), embedded.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	store, err := projections.Open(projections.Options{
		Dir: b.TempDir(), Log: log.Reader("projections"), Aside: log, Logger: slog.New(slog.DiscardHandler), Building: node.TuneBuilding,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	for b.Loop() {
		runtime.GC()
		debug.FreeOSMemory()
		before, most := resident(b), 0.0
		began := time.Now()
		_, err := store.Rebuild(context.Background(), false, func(projections.Progress) { most = max(most, resident(b)) })
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "events/s")
		b.ReportMetric(before, "before-MiB")
		b.ReportMetric(most-before, "grows-by-MiB")
	}
	b.ReportMetric(0, "ns/op")
}

// resident returns the memory of this process in MiB, as the kernel counts it.
func resident(b *testing.B) float64 { return residentIn(b, os.Getpid()) }

// residentIn returns that of the process.
func residentIn(t testing.TB, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib / 1024
		}
	}
	t.Fatal("the kernel does not tell how large the process is")
	return 0
}
