package embedded

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded/blocks"
	"github.com/certtrail/certtrail/streams/gate"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// TestSlowSyncKeepsNobodyLonger holds a sync back: who appends is told when their time is over, readiness is not
// pretended, and the event is there in the end.
func TestSlowSyncKeepsNobodyLonger(t *testing.T) {
	var slow atomic.Bool
	hold := make(chan struct{})
	l := openLog(t, Options{Sync: func(f *os.File) error {
		if slow.Load() && strings.HasSuffix(f.Name(), blocks.Suffix) {
			<-hold
		}
		return fdatasync(f)
	}})
	streamstest.Append(t, l, 1)
	if err := l.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	slow.Store(true)
	var waiting sync.WaitGroup
	for n := range 3 { // the first is being synced, the others wait for the next sync
		waiting.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := l.Append(ctx, streamstest.Event(n)); !errors.Is(err, streams.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("append while a sync takes long: %v", err)
			}
		})
	}
	waiting.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := l.Ready(ctx); err == nil {
		t.Error("the log calls itself ready while no event would be taken in time")
	}
	slow.Store(false)
	close(hold)
	if err := l.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if got := streamstest.Read(t, l, 0, 2); len(got) < 2 {
		t.Errorf("%d events in the end", len(got))
	}
}

// TestAnUnansweredEventStandsOnce gives up on an event that waits behind many others inside the server: it is not
// published again before those are through.
func TestAnUnansweredEventStandsOnce(t *testing.T) {
	const before = 900                     // so many at once the server takes
	l := openLog(t, Options{Always: true}) // each takes its time
	for range before {
		if err := l.session.nc.PublishMsg(&nats.Msg{Subject: "certs.order.issued.digicert.1", Data: make([]byte, 1<<10)}); err != nil {
			t.Fatal(err)
		}
	}
	l.commits.publisher.timeout = 1
	if _, err := l.Append(t.Context(), streamstest.Event(1)); err != nil {
		t.Fatal(err)
	}
	if last, err := l.lastStored(t.Context()); last != before+1 || err != nil {
		t.Errorf("the log has %d events, %v; want %d", last, err, before+1)
	}
}

// TestAFrozenStreamIsStartedAgain freezes a log that is read and appended to: what was refused is taken after its
// server was started again, the reader goes on, and what waits is appended once.
func TestAFrozenStreamIsStartedAgain(t *testing.T) {
	const callers, each = 8, 40
	l := openLog(t, Options{Listen: "127.0.0.1:0", Access: gate.Access{Subscriber: "secret"}})
	addr := l.Addr()
	streamstest.Append(t, l, 1)
	seen := make(chan int, 1)
	go func() { seen <- len(streamstest.Read(t, l, 0, 1+callers*each)) }()
	var appending sync.WaitGroup
	for c := range callers {
		appending.Go(func() {
			for n := range each {
				if _, err := l.Append(t.Context(), streamstest.Event(c*each+n)); err != nil {
					t.Error(err)
				}
				if c == 0 && n%20 == 10 {
					l.commits.freeze(errDropped)
				}
			}
		})
	}
	appending.Wait()
	if n := <-seen; n != 1+callers*each {
		t.Errorf("the reader saw %d events, want %d", n, 1+callers*each)
	}
	if l.Addr() != addr {
		t.Errorf("subscribers were at %s, and have to go to %s", addr, l.Addr())
	}
	nc, err := nats.Connect("nats://"+addr, nats.UserInfo("subscriber", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if err := l.Frozen(); err != nil {
		t.Error(err)
	}
}

// TestASpareDescriptorOpensTheNewestBlock takes all descriptors of the process: a block can be opened all the same,
// once for each that was kept.
func TestASpareDescriptorOpensTheNewestBlock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.blk")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := &blockFiles{dir: filepath.Dir(path), sync: fdatasync}
	b.keepSpares()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	fewer := limit
	fewer.Cur = min(limit.Cur, 256)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &fewer); err != nil {
		t.Fatal(err)
	}
	var taken []*os.File
	defer func() {
		for _, f := range taken {
			f.Close()
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}()
	for {
		f, err := os.Open(path)
		if err != nil {
			break
		}
		taken = append(taken, f)
	}
	for n := range spares {
		f, err := b.open(path)
		if err != nil {
			t.Fatalf("with %d spare descriptors left: %v", spares-n, err)
		}
		taken = append(taken, f)
	}
	if _, err := b.open(path); !errors.Is(err, errNotOpened) {
		t.Errorf("without any: %v, want what may pass", err)
	}
	taken[0].Close()
	if f, err := b.open(path); err != nil {
		t.Errorf("when there is one again: %v", err)
	} else {
		taken[0] = f
	}
}
