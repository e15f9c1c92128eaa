package embedded

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// TestAppendAllKeepsOrder appends several windows while others append too: the bulk's events are durable, whole and in
// order, and nobody's are lost.
func TestAppendAllKeepsOrder(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, Options{Dir: dir})
	const n, live = 2*windowMessages + 10, 50
	bulk := streamstest.Raws(t, 0, n)
	var others sync.WaitGroup
	for c := range 4 {
		others.Go(func() {
			for i := range live {
				if _, err := l.Append(context.Background(), streamstest.Event(1_000_000+c*live+i)); err != nil {
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
	done, err := l.AppendAll(context.Background(), streamstest.Raws(t, 0, 8000)) // 7 MB
	if done != 0 && done != windowMessages || err == nil || !strings.Contains(err.Error(), "raise max-bytes") {
		t.Errorf("AppendAll into a log that is too small: %d, %v", done, err)
	}
	if last, _ := l.Last(context.Background()); last != uint64(done) {
		t.Errorf("the log ends at %d after %d events were taken", last, done)
	}
}

// atEnd sees that everything in the log can be read, that it has n events, and that a sync to the disk covered them.
func atEnd(t *testing.T, l *Log, n uint64) {
	t.Helper()
	stored, err := l.lastStored(context.Background())
	if last, _ := l.Last(context.Background()); err != nil || stored != n || last != n {
		t.Errorf("the log has %d events (%v) and shows %d, want %d: who looks which ones it has, appends the others twice", stored, err, last, n)
	}
}

// TestFailedWindowIsSeen fails windows in the middle: what the log took of one is durable and visible when the error is
// returned.
func TestFailedWindowIsSeen(t *testing.T) {
	tooLarge := bytes.Repeat([]byte("x"), streams.MaxMessage+1)
	for _, failing := range []int{5, 9} { // in the middle, and the one that goes to the committer
		l := openLog(t, Options{})
		list := streamstest.Raws(t, 0, 10)
		list[failing].Data = tooLarge
		ctx, interrupt := context.WithCancel(context.Background())
		go func() {
			for stored := uint64(0); stored < uint64(failing); {
				stored, _ = l.lastStored(t.Context())
			}
			interrupt() // else the last event would be tried again for long
		}()
		if done, err := l.AppendAll(ctx, list); done != 0 || !errors.Is(err, streams.ErrUnavailable) {
			t.Errorf("AppendAll: %d, %v", done, err)
		}
		atEnd(t, l, uint64(failing))
	}
}

// TestUnansweredWindowIsSeen loses the answers: the events arrive in the log after the append has given up on them.
func TestUnansweredWindowIsSeen(t *testing.T) {
	l := openLog(t, Options{})
	l.session.bulk.timeout = time.Nanosecond
	const n = 1000
	if done, err := l.AppendAll(context.Background(), streamstest.Raws(t, 0, n)); done != 0 || !errors.Is(err, errNoAnswer) {
		t.Fatalf("AppendAll: %d, %v", done, err)
	}
	atEnd(t, l, n-1)
}

// TestKnownLastEvent ends a window with an event that the log has already, whose answer names its old place.
func TestKnownLastEvent(t *testing.T) {
	l := openLog(t, Options{})
	list := streamstest.Raws(t, 0, 10)
	list[9].ID = "probely:2LByjGetTqcN"
	for round := range uint64(2) {
		if done, err := l.AppendAll(context.Background(), list); done != len(list) || err != nil {
			t.Errorf("AppendAll: %d, %v", done, err)
		}
		atEnd(t, l, 10+9*round)
	}
}

// committerOf makes another committer of the log, with a watermark of its own.
func committerOf(t *testing.T, l *Log, files *blockFiles, acked uint64) *committer {
	t.Helper()
	end, err := openEndMark(filepath.Join(t.TempDir(), "end"), acked, fdatasync)
	if err != nil {
		t.Fatal(err)
	}
	c := newCommitter(l, files, end, acked)
	c.durable = streams.NewWatermark()
	return c
}

// TestStoredIsSyncedOnAFullDisk gives a committer that refuses every event something that is stored already.
func TestStoredIsSyncedOnAFullDisk(t *testing.T) {
	l := openLog(t, Options{})
	streamstest.Append(t, l, 3)
	full := errors.New("the disk is full")
	c := committerOf(t, l, &blockFiles{dir: l.blocks.dir, sync: fdatasync}, 0)
	c.disk = &diskSpace{checked: time.Now().Add(time.Hour), err: full}
	go c.run()
	go c.runSyncs()
	defer c.stop()
	ctx, cancel := context.WithTimeout(context.Background(), retryInterval/2)
	defer cancel()
	e := streamstest.Raws(t, 3, 1)[0]
	if _, err := c.append(ctx, &submission{id: e.ID, msg: e.Message(), stored: 2}); !errors.Is(err, full) || c.durable.Seq() != 2 {
		t.Errorf("an event on a full disk: %v, and the log is durable up to %d, want 2", err, c.durable.Seq())
	}
	if _, err := c.append(context.Background(), &submission{stored: 3}); err != nil || c.durable.Seq() != 3 {
		t.Errorf("the log is durable up to %d, %v", c.durable.Seq(), err)
	}
}

// TestRetryLooksBehindOthers tries an event again whose answer was lost, after later ones of others were acknowledged.
func TestRetryLooksBehindOthers(t *testing.T) {
	l := openLog(t, Options{})
	list := streamstest.Raws(t, 0, 3)
	for i := range list {
		if _, err := l.session.js.PublishMsg(context.Background(), list[i].Message()); err != nil {
			t.Fatal(err)
		}
	}
	c := committerOf(t, l, l.commits.files, 3)
	a := &submission{id: list[1].ID, msg: list[1].Message(), retry: true, since: 0}
	if any := c.publish([]*submission{a}); !any || a.seq != 2 || a.err != nil {
		t.Errorf("the event was put at %d, %v; it stands at 2", a.seq, a.err)
	}
	if stored, err := l.lastStored(context.Background()); stored != 3 || err != nil {
		t.Errorf("the log ends at %d, %v", stored, err)
	}
}

func BenchmarkAppendAll(b *testing.B) {
	l := openLog(b, Options{})
	list := streamstest.Raws(b, 0, 20_000)
	b.ResetTimer()
	for b.Loop() {
		if n, err := l.AppendAll(context.Background(), list); n != len(list) || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N*len(list))/b.Elapsed().Seconds(), "events/s")
}
