package embedded

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// BenchmarkAppend measures appends a second with 1, 16, 64 and 256 callers beside its limit: publishing each message by
// itself to a server that syncs always. Both take turns within one run, and the ratio is that of their medians.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			group := openLog(b, Options{})
			always := openLog(b, Options{Always: true})
			grouped := func(ctx context.Context, e *schema.Event) error { _, err := group.Append(ctx, e); return err }
			raw := func(ctx context.Context, e *schema.Event) error {
				data, err := e.Encode()
				if err == nil {
					_, err = always.session.js.Publish(ctx, e.NATSSubject(), data, jetstream.WithRetryAttempts(0))
				}
				return err
			}
			for b.Loop() {
				var ours, limit []float64
				for range 3 {
					ours = append(ours, perSecond(b, callers, grouped))
					limit = append(limit, perSecond(b, callers, raw))
				}
				b.ReportMetric(median(ours), "appends/s")
				b.ReportMetric(median(limit), "raw-always/s")
				b.ReportMetric(median(ours)/median(limit), "ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// perSecond runs appends from that many callers for a second.
func perSecond(b *testing.B, callers int, do func(context.Context, *schema.Event) error) float64 {
	b.Helper()
	const duration = time.Second
	filler := strings.Repeat("x", 400)
	var done atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for c := range callers {
		group.Go(func() {
			for n := 0; time.Since(began) < duration; n++ {
				e := streamstest.Event(c<<20 + n)
				e.Data.Reason = filler // about 1 KiB an event
				if err := do(context.Background(), e); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	return float64(done.Load()) / time.Since(began).Seconds()
}

func median(v []float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	return sorted[len(sorted)/2]
}
