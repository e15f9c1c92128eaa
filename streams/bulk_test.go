package streams

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

func raws(t testing.TB, from, n int) []Raw {
	t.Helper()
	list := make([]Raw, n)
	for i := range list {
		e := event(from + i)
		e.Data.Reason = strings.Repeat("x", 500)
		data, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		list[i] = Raw{ID: e.ID, Subject: e.NATSSubject(), Data: data}
	}
	return list
}

// TestAppendAllKeepsOrder appends several windows while others append too: the bulk's events are durable, whole and in order, and nobody's are lost.
func TestAppendAllKeepsOrder(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, Options{Dir: dir})
	const n, live = 2*windowMessages + 10, 50
	bulk := raws(t, 0, n)
	var others sync.WaitGroup
	for c := range 4 {
		others.Go(func() {
			for i := range live {
				if _, err := l.Append(context.Background(), event(1_000_000+c*live+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if done, err := l.AppendAll(context.Background(), bulk); done != n || err != nil {
		t.Fatalf("AppendAll: %d, %v", done, err)
	}
	if last, _ := l.Last(context.Background()); last < n {
		t.Errorf("the durable end is %d after %d events", last, n)
	}
	others.Wait()
	l.Close()

	l = openLog(t, Options{Dir: dir})
	next, found := 0, 0
	err := l.Read(context.Background(), 0, n+4*live, func(records []schema.Record) error {
		for _, r := range records {
			if next < n && string(r.Data) == string(bulk[next].Data) && r.Subject == bulk[next].Subject {
				next++
			} else {
				found++
			}
		}
		return nil
	})
	if err != nil || next != n || found != 4*live {
		t.Errorf("%d of %d events of the bulk in order, %d of %d others, %v", next, n, found, 4*live, err)
	}
}

func TestAppendAllIsRefusedWhole(t *testing.T) {
	l := openLog(t, Options{MaxBytes: 4 << 20})
	done, err := l.AppendAll(context.Background(), raws(t, 0, 8000)) // 7 MB
	if done != 0 && done != windowMessages || err == nil || !strings.Contains(err.Error(), "raise max-bytes") {
		t.Errorf("AppendAll into a log that is too small: %d, %v", done, err)
	}
	if last, _ := l.Last(context.Background()); last != uint64(done) {
		t.Errorf("the log ends at %d after %d events were taken", last, done)
	}
}

func BenchmarkAppendAll(b *testing.B) {
	l := openLog(b, Options{})
	list := raws(b, 0, 20_000)
	b.ResetTimer()
	for b.Loop() {
		if n, err := l.AppendAll(context.Background(), list); n != len(list) || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "events/s")
}

func TestReadStopsAtItsEnd(t *testing.T) {
	l := openLog(t, Options{})
	appendN(t, l, 5)
	for _, want := range []struct{ after, until, first, n uint64 }{{0, 5, 1, 5}, {2, 4, 3, 2}, {5, 9, 0, 0}, {0, 0, 0, 0}, {7, 9, 0, 0}, {0, 99, 1, 5}} {
		var got []uint64
		err := l.Read(context.Background(), want.after, want.until, func(records []schema.Record) error {
			for _, r := range records {
				got = append(got, r.Seq)
			}
			return nil
		})
		if err != nil || uint64(len(got)) != want.n || want.n > 0 && got[0] != want.first {
			t.Errorf("after %d until %d: %v, %v", want.after, want.until, fmt.Sprint(got), err)
		}
	}
}
