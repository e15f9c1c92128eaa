package streams_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// openLog opens a log whose server runs inside this process.
func openLog(t testing.TB, o embedded.Options) *embedded.Log {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	l, err := embedded.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// session returns the connections of an open log.
func session(t testing.TB, l *embedded.Log) *streams.Session {
	t.Helper()
	s, err := l.Session()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAppendAndFollow(t *testing.T) {
	l := openLog(t, embedded.Options{})
	streamstest.Append(t, l, 3)
	for after := range uint64(3) {
		got := streamstest.Read(t, l, after, 3)
		if len(got) != 3-int(after) || got[0].Seq != after+1 {
			t.Errorf("after %d: %d records from %d on, want %d from %d on", after, len(got), got[0].Seq, 3-after, after+1)
		}
	}
}

func TestConcurrentAppends(t *testing.T) {
	l := openLog(t, embedded.Options{})
	const callers, each = 64, 20
	var group sync.WaitGroup
	var mu sync.Mutex
	ids := map[uint64]string{}
	for c := range callers {
		group.Go(func() {
			for i := range each {
				e := streamstest.Event(c*each + i)
				seq, err := l.Append(context.Background(), e)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				ids[seq] = e.ID
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(ids) != callers*each {
		t.Fatalf("%d different sequences for %d appends", len(ids), callers*each)
	}
	for _, r := range streamstest.Read(t, l, 0, callers*each) {
		e, err := schema.Decode(r.Data)
		if err != nil {
			t.Fatal(err)
		}
		if ids[r.Seq] != e.ID {
			t.Errorf("at %d stands %s, Append said %s", r.Seq, e.ID, ids[r.Seq])
		}
	}
}

func TestFollowPastEnd(t *testing.T) {
	l := openLog(t, embedded.Options{})
	streamstest.Append(t, l, 2)
	err := l.Reader("tail").Follow(context.Background(), 3, func([]schema.Record) error { return nil })
	if !errors.Is(err, schema.ErrPastEnd) {
		t.Errorf("following after 3 of a log of 2: %v, want ErrPastEnd", err)
	}
}

// TestReaderWaitsForSync holds a sync back and sees that no reader is shown what it covers.
func TestReaderWaitsForSync(t *testing.T) {
	hold := make(chan struct{})
	var holding sync.Once
	armed := make(chan struct{})
	reached := make(chan struct{})
	l := openLog(t, embedded.Options{Sync: func(f *os.File) error {
		select {
		case <-armed:
			holding.Do(func() { close(reached); <-hold })
		default:
		}
		return f.Sync()
	}})
	streamstest.Append(t, l, 1)
	close(armed)
	appended := make(chan error, 1)
	go func() {
		_, err := l.Append(context.Background(), streamstest.Event(2))
		appended <- err
	}()
	<-reached // the message is in the stream, its sync is not done
	if stored, err := session(t, l).LastStored(t.Context()); err != nil || stored != 2 {
		t.Fatalf("the stream ends at %d (%v), want 2", stored, err)
	}
	if last, _ := l.Last(context.Background()); last != 1 {
		t.Errorf("Last is %d before the sync, want 1", last)
	}
	if records, _, err := l.Events(context.Background(), 0, "", 10, 1<<20); err != nil || len(records) != 1 {
		t.Errorf("%d events before the sync (%v), want 1", len(records), err)
	}
	select {
	case err := <-appended:
		t.Fatalf("Append returned before its sync: %v", err)
	default:
	}
	close(hold)
	if err := <-appended; err != nil {
		t.Fatal(err)
	}
	if got := streamstest.Read(t, l, 0, 2); len(got) != 2 {
		t.Errorf("%d records after the sync, want 2", len(got))
	}
}

func TestTrueIdIsAppendedOnce(t *testing.T) {
	l := openLog(t, embedded.Options{})
	e := streamstest.Event(1)
	e.ID = "probely:2LByjGetTqcN"
	first, err := l.Append(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Append(context.Background(), e)
	if err != nil || first != second {
		t.Errorf("the same true id stands at %d and %d (%v), want one place", first, second, err)
	}
}

func TestReadStopsAtItsEnd(t *testing.T) {
	l := openLog(t, embedded.Options{})
	streamstest.Append(t, l, 5)
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

// TestReadGoesBackToTheFiles reads a log that is damaged at its beginning and beyond what is taken from the server at
// once.
func TestReadGoesBackToTheFiles(t *testing.T) {
	const n = 2*streams.MaxServed + 10
	dir := t.TempDir()
	l := openLog(t, embedded.Options{Dir: dir})
	events := streamstest.Raws(t, 0, n)
	if _, err := l.AppendAll(context.Background(), events); err != nil {
		t.Fatal(err)
	}
	l.Close()
	streamstest.Damage(t, dir, `"`+events[2].ID+`"`, `"`+events[n-5].ID+`"`)
	l = openLog(t, embedded.Options{Dir: dir})
	at, read := uint64(0), 0
	err := l.Read(context.Background(), 0, n, func(records []schema.Record) error {
		for _, r := range records {
			if r.Seq <= at || r.Missing > 0 && r.Seq-r.Missing-1 != at {
				t.Fatalf("event %d, with %d missing before it, came after %d", r.Seq, r.Missing, at)
			}
			at = r.Seq
		}
		read += len(records)
		return nil
	})
	if err != nil || read != n-2 || at != n {
		t.Errorf("read %d events up to %d, %v; want %d up to %d", read, at, err, n-2, n)
	}
	if got := l.Gaps(); !slices.Equal(got, schema.Gaps{{First: 3, Last: 3}, {First: n - 4, Last: n - 4}}) {
		t.Errorf("gaps %v", got)
	}
}

// BenchmarkFollow measures reading the log, events of a kilobyte as fast as they come.
func BenchmarkFollow(b *testing.B) {
	l := openLog(b, embedded.Options{})
	const n = 100_000
	if _, err := l.AppendAll(context.Background(), streamstest.Raws(b, 0, n)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		got := 0
		err := l.Read(context.Background(), 0, n, func(records []schema.Record) error { got += len(records); return nil })
		if err != nil || got != n {
			b.Fatal(got, err)
		}
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
}
