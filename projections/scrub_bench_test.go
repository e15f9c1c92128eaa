package projections

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// BenchmarkBesideAScrub measures how long a page and the folding of an event take while the read models are left alone,
// and while they are scrubbed at the usual pace: quantiles of each, in microseconds.
func BenchmarkBesideAScrub(b *testing.B) {
	const events = 20_000
	l := logOf(randomHistory(3, events))
	begin := make(chan time.Time)
	s, err := Open(Options{Dir: b.TempDir(), Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler), After: func(d time.Duration) <-chan time.Time {
		if d >= scrubFirst {
			return begin
		}
		return time.After(d)
	}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	defer func() { cancel(); <-done; s.Close() }()
	caughtUp(b, s)
	n := events
	measure := func(until func() bool) (pages, folds []float64) {
		for !until() {
			began := time.Now()
			if _, _, err := List(ctx, s, Orders, Query{Now: began}); err != nil {
				b.Fatal(err)
			}
			pages = append(pages, float64(time.Since(began).Microseconds()))
			n++
			began = time.Now()
			l.append(event(n, schema.OrderIssued, schema.Data{OrderID: strconv.Itoa(n % 1000)}))
			end := l.records[len(l.records)-1].Seq
			for folded := false; !folded; {
				s.hub.mu.Lock()
				moved := s.hub.moved
				folded = s.hub.last >= end
				s.hub.mu.Unlock()
				if !folded {
					<-moved
				}
			}
			folds = append(folds, float64(time.Since(began).Microseconds()))
			pause(ctx, 5*time.Millisecond)
		}
		slices.Sort(pages)
		slices.Sort(folds)
		return pages, folds
	}
	report := func(name string, list []float64) {
		b.ReportMetric(list[len(list)/2], name+"-p50-us")
		b.ReportMetric(list[len(list)*99/100], name+"-p99-us")
	}
	for b.Loop() {
		alone := time.Now().Add(10 * time.Second)
		pages, folds := measure(func() bool { return time.Now().After(alone) })
		report("page-alone", pages)
		report("fold-alone", folds)
		last := statusOf(b, s).Verified
		before := processorSeconds()
		scrubbing := time.Now()
		begin <- scrubbing
		pages, folds = measure(func() bool { return statusOf(b, s).Verified != last })
		report("page-beside", pages)
		report("fold-beside", folds)
		b.ReportMetric(time.Since(scrubbing).Seconds(), "scrub-s")
		b.ReportMetric((processorSeconds()-before)/time.Since(scrubbing).Seconds(), "processors")
	}
	b.ReportMetric(0, "ns/op")
}

// processorSeconds returns how long this process has had processors.
func processorSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
