package embedded

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/gate"
	"github.com/certtrail/certtrail/streams/streamstest"
)

func openLog(t testing.TB, o Options) *Log {
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

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, Options{Dir: dir})
	streamstest.Append(t, l, 5)
	l.Close()
	if _, err := l.Append(context.Background(), streamstest.Event(9)); !errors.Is(err, streams.ErrUnavailable) {
		t.Errorf("append to a closed log: %v, want streams.ErrUnavailable", err)
	}
	l = openLog(t, Options{Dir: dir})
	streamstest.Append(t, l, 1)
	if got := streamstest.Read(t, l, 0, 6); len(got) != 6 {
		t.Errorf("%d records after a restart, want 6", len(got))
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
	streamstest.Append(t, l, 1)
	broken.Store("disk", true)
	if _, err := l.Append(context.Background(), streamstest.Event(2)); !errors.Is(err, streams.ErrUnavailable) {
		t.Fatalf("append with a failing sync: %v, want streams.ErrUnavailable", err)
	}
	broken.Delete("disk")
	if _, err := l.Append(context.Background(), streamstest.Event(3)); !errors.Is(err, streams.ErrUnavailable) {
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
		_, err = l.Append(ctx, streamstest.Event(i))
		cancel()
	}
	if !errors.Is(err, streams.ErrUnavailable) {
		t.Fatalf("a log of 4 KiB took 100 events: %v", err)
	}
	last, _ := l.Last(context.Background())
	if got := streamstest.Read(t, l, 0, last); len(got) != int(last) || got[0].Seq != 1 {
		t.Errorf("a full log begins at %d and has %d events, want all %d", got[0].Seq, len(got), last)
	}
}

// forgetful fails, as a stream, to give its state the first few times.
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

// TestSilenceDoublesNothing has the server take an event without saying so, and then not tell for a while what it
// holds: the event is not published again before that is known.
func TestSilenceDoublesNothing(t *testing.T) {
	l := openLog(t, Options{})
	l.commits.publisher.timeout = 1
	l.session.Stream = &forgetful{l.session.Stream, 3}
	seq, err := l.Append(context.Background(), streamstest.Event(1))
	if err != nil || seq != 1 {
		t.Errorf("the event stands at %d (%v), want 1", seq, err)
	}
	if last, err := l.lastStored(context.Background()); err != nil || last != 1 {
		t.Errorf("the log ends at %d (%v), want 1: the event was published again", last, err)
	}
}

// heldBelow lists the files below dir that this process holds open.
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
	streamstest.Append(t, l, 1)
	l.Close()
	if held := heldBelow(t, dir); len(held) > 0 {
		t.Errorf("a closed log holds %v", held)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = Open(context.Background(), Options{Dir: dir, Listen: taken.Addr().String(), Access: gate.Access{Subscriber: "secret"}})
	if err == nil {
		t.Fatal("a log opened on a port that is taken")
	}
	if held := heldBelow(t, dir); len(held) > 0 {
		t.Errorf("a log that could not be opened holds %v", held)
	}
}

// TestTheListenerHasSoManyConnections opens more connections than the listener may have: the next is refused, and the
// log goes on.
func TestTheListenerHasSoManyConnections(t *testing.T) {
	const most = 5
	l := openLog(t, Options{Listen: "127.0.0.1:0", Access: gate.Access{Subscriber: "secret"}, MaxConns: most})
	taken, err := 0, error(nil)
	for ; err == nil && taken < most+ownConnections; taken++ {
		var nc *nats.Conn
		if nc, err = nats.Connect("nats://"+l.Addr(), nats.UserInfo("subscriber", "secret"), nats.MaxReconnects(0)); err == nil {
			defer nc.Close()
		}
	}
	if taken < most || err == nil {
		t.Errorf("%d connections were taken, want about %d: %v", taken, most, err)
	}
	streamstest.Append(t, l, 1)
}
