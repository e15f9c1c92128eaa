package streams

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/schema"
)

func event(n int) *schema.Event {
	id := uuid.Must(uuid.NewV7()).String()
	return schema.New(id, "/hooks/digicert", schema.At(time.Now()), schema.OrderIssued, schema.Data{Provider: "digicert", Event: "certificate_issued", OrderID: fmt.Sprint(n)})
}

func openLog(t testing.TB, o Options) *Embedded {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	l, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func appendN(t testing.TB, l *Embedded, n int) {
	t.Helper()
	for i := range n {
		if _, err := l.Append(context.Background(), event(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// read is the sequences that a reader is given until it has seen `until`.
func read(t testing.TB, l *Embedded, after, until uint64) []schema.Record {
	t.Helper()
	var got []schema.Record
	done := errors.New("done")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := l.Reader("tail").Follow(ctx, after, func(records []schema.Record) error {
		got = append(got, records...)
		if got[len(got)-1].Seq >= until {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatalf("Follow after %d: %v, with %d records", after, err, len(got))
	}
	return got
}

func TestAppendAndFollow(t *testing.T) {
	l := openLog(t, Options{})
	appendN(t, l, 3)
	for after := range uint64(3) {
		got := read(t, l, after, 3)
		if len(got) != 3-int(after) || got[0].Seq != after+1 {
			t.Errorf("after %d: %d records from %d on, want %d from %d on", after, len(got), got[0].Seq, 3-after, after+1)
		}
	}
}

func TestConcurrentAppends(t *testing.T) {
	l := openLog(t, Options{})
	const callers, each = 64, 20
	var group sync.WaitGroup
	var mu sync.Mutex
	ids := map[uint64]string{}
	for c := range callers {
		group.Go(func() {
			for i := range each {
				e := event(c*each + i)
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
	for _, r := range read(t, l, 0, callers*each) {
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
	l := openLog(t, Options{})
	appendN(t, l, 2)
	err := l.Reader("tail").Follow(context.Background(), 3, func([]schema.Record) error { return nil })
	if !errors.Is(err, schema.ErrPastEnd) {
		t.Errorf("following after 3 of a log of 2: %v, want ErrPastEnd", err)
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, Options{Dir: dir})
	appendN(t, l, 5)
	l.Close()
	if _, err := l.Append(context.Background(), event(9)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("append to a closed log: %v, want ErrUnavailable", err)
	}
	l = openLog(t, Options{Dir: dir})
	appendN(t, l, 1)
	if got := read(t, l, 0, 6); len(got) != 6 {
		t.Errorf("%d records after a restart, want 6", len(got))
	}
}

// TestReaderWaitsForSync holds a sync back and sees that no reader is shown what it covers.
func TestReaderWaitsForSync(t *testing.T) {
	hold := make(chan struct{})
	var holding sync.Once
	armed := make(chan struct{})
	reached := make(chan struct{})
	l := openLog(t, Options{Sync: func(f *os.File) error {
		select {
		case <-armed:
			holding.Do(func() { close(reached); <-hold })
		default:
		}
		return fdatasync(f)
	}})
	appendN(t, l, 1)
	close(armed)
	appended := make(chan error, 1)
	go func() {
		_, err := l.Append(context.Background(), event(2))
		appended <- err
	}()
	<-reached // the message is in the stream, its sync is not done
	if info, err := l.session.Stream.Info(context.Background()); err != nil || info.State.LastSeq != 2 {
		t.Fatalf("the stream ends at %v (%v), want 2", info.State.LastSeq, err)
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
	if got := read(t, l, 0, 2); len(got) != 2 {
		t.Errorf("%d records after the sync, want 2", len(got))
	}
}

func TestFailedSyncStopsTheLog(t *testing.T) {
	var broken sync.Map
	l := openLog(t, Options{Sync: func(f *os.File) error {
		if _, ok := broken.Load("disk"); ok {
			return errors.New("input/output error")
		}
		return fdatasync(f)
	}})
	appendN(t, l, 1)
	broken.Store("disk", true)
	if _, err := l.Append(context.Background(), event(2)); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("append with a failing sync: %v, want ErrUnavailable", err)
	}
	broken.Delete("disk")
	if _, err := l.Append(context.Background(), event(3)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("append after a failed sync: %v, want ErrUnavailable: what the cache held may be gone", err)
	}
	if l.Err() == nil {
		t.Error("Err is nil after a failed sync")
	}
	if last, _ := l.Last(context.Background()); last != 1 {
		t.Errorf("Last is %d, want 1: what was not synced is not there", last)
	}
}

func TestFullLogRefuses(t *testing.T) {
	l := openLog(t, Options{MaxBytes: 4 << 10})
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), retryInterval)
		_, err = l.Append(ctx, event(i))
		cancel()
	}
	if !errors.Is(err, ErrUnavailable) {
		t.Fatalf("a log of 4 KiB took 100 events: %v", err)
	}
	last, _ := l.Last(context.Background())
	if got := read(t, l, 0, last); len(got) != int(last) || got[0].Seq != 1 {
		t.Errorf("a full log begins at %d and has %d events, want all %d", got[0].Seq, len(got), last)
	}
}

func TestTrueIdIsAppendedOnce(t *testing.T) {
	l := openLog(t, Options{})
	e := event(1)
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

// forgetful is a stream that cannot be asked for its state the first few times.
type forgetful struct {
	jetstream.Stream
	times int
}

func (s *forgetful) Info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	if s.times--; s.times >= 0 {
		return nil, errNoAnswer
	}
	return s.Stream.Info(ctx, opts...)
}

// TestSilenceDoublesNothing has the server take an event without saying so, and then not tell for a while what it holds: the event is not published
// again before that is known.
func TestSilenceDoublesNothing(t *testing.T) {
	l := openLog(t, Options{})
	l.commits.publisher.timeout = 1
	l.session.Stream = &forgetful{l.session.Stream, 3}
	seq, err := l.Append(context.Background(), event(1))
	if err != nil || seq != 1 {
		t.Errorf("the event stands at %d (%v), want 1", seq, err)
	}
	if last, err := l.lastStored(context.Background()); err != nil || last != 1 {
		t.Errorf("the log ends at %d (%v), want 1: the event was published again", last, err)
	}
}

// heldBelow are the files below dir that this process holds open.
func heldBelow(t *testing.T, dir string) []string {
	t.Helper()
	descriptors, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(descriptors) == 0 {
		t.Fatalf("this system does not tell which files a process holds open (%v)", err)
	}
	var held []string
	for _, d := range descriptors {
		if path, err := os.Readlink(d); err == nil && strings.HasPrefix(path, dir) {
			held = append(held, path)
		}
	}
	return held
}

// TestNothingIsLeftOpen closes a log, and opens it where it cannot have its port: neither leaves a file open.
func TestNothingIsLeftOpen(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, Options{Dir: dir})
	appendN(t, l, 1)
	l.Close()
	if held := heldBelow(t, dir); len(held) > 0 {
		t.Errorf("a closed log holds %v", held)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = Open(context.Background(), Options{Dir: dir, Listen: taken.Addr().String(), Access: Access{Subscriber: "secret"}})
	if err == nil {
		t.Fatal("a log opened on a port that is taken")
	}
	if held := heldBelow(t, dir); len(held) > 0 {
		t.Errorf("a log that could not be opened holds %v", held)
	}
}
