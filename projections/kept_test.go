package projections

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// ledger says whether a log's losses are settled, and which they are.
type ledger struct {
	settled atomic.Bool
	mu      sync.Mutex
	gaps    schema.Gaps
}

func (l *ledger) known() (gone, accepted schema.Gaps) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.settled.Load() {
		return l.gaps, l.gaps
	}
	return l.gaps, nil
}

func (l *ledger) lose(gaps schema.Gaps) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gaps = gaps
}

// opened opens a store whose losses stand in the ledger, and runs it until stop is called.
func (l *ledger) opened(t *testing.T, dir string, log wholeLog) (s *Store, stop func()) {
	t.Helper()
	s, err := Open(Options{Dir: dir, Log: log, Aside: log, Logger: slog.New(slog.DiscardHandler), Gaps: l.known,
		Unsettled: func() bool { return !l.settled.Load() }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { s.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); done.Wait(); s.Close() })
	t.Cleanup(stop)
	return s, stop
}

// issued makes a log of so many events, each about an order of its own.
func issued(n int) *memoryLog {
	l := newMemoryLog()
	for i := range n {
		l.append(event(i+1, schema.OrderIssued, schema.Data{OrderID: strconv.Itoa(i + 1)}))
	}
	return l
}

// kept returns the files that s says are kept, once there are so many, and nothing stands beside them.
func kept(t *testing.T, s *Store, n int) (files []string) {
	t.Helper()
	until(t, strconv.Itoa(n)+" files are kept", func() bool {
		_, m, err := s.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		files = m.Kept
		return len(files) == n
	})
	all, err := filepath.Glob(filepath.Join(s.o.Dir, "*"+keptSuffix+"*"))
	if err != nil || len(all) != n {
		t.Errorf("in the directory: %v, %v", all, err)
	}
	return files
}

// holds looks at a file as certtrail serve --read-only does.
func holds(t *testing.T, path string, orders int) {
	t.Helper()
	s, _, asOf, err := OpenReadOnly(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	items, _, err := List(t.Context(), s, Orders, Query{Limit: MaxLimit, Now: time.Now()})
	if err != nil || len(items) != orders || !asOf.IsZero() {
		t.Errorf("%s has %d orders of %d, as of %v: %v", path, len(items), orders, asOf, err)
	}
}

// TestWhatTheLogLostIsKept loses events in each way there is. The read models that know them are kept, one file,
// through every start, until it is settled.
func TestWhatTheLogLostIsKept(t *testing.T) {
	for name, lose := range map[string]func(t *testing.T, dir string, l *memoryLog, losses *ledger) *memoryLog{
		"the log ends before": func(_ *testing.T, _ string, l *memoryLog, _ *ledger) *memoryLog { return logOf(l.records[:15]) },
		"its end was given again": func(_ *testing.T, _ string, l *memoryLog, _ *ledger) *memoryLog {
			shorter := logOf(l.records[:15])
			for i := range 10 {
				shorter.append(event(100+i, schema.OrderIssued, schema.Data{OrderID: strconv.Itoa(100 + i)}))
			}
			return shorter
		},
		"a gap, and other folds": func(t *testing.T, dir string, l *memoryLog, losses *ledger) *memoryLog {
			losses.lose(schema.Gaps{{First: 4, Last: 5}})
			renamed(t, dir, func(g *generation) { g.folds += 1000 })
			return withGap(l, 4, 5)
		},
		"a gap, and other tables": func(t *testing.T, dir string, l *memoryLog, losses *ledger) *memoryLog {
			losses.lose(schema.Gaps{{First: 4, Last: 5}})
			renamed(t, dir, func(g *generation) { g.tables = strings.Repeat("0", len(g.tables)) })
			return withGap(l, 4, 5)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, losses := t.TempDir(), &ledger{}
			whole := issued(20)
			s, stop := losses.opened(t, dir, whole)
			caughtUp(t, s)
			kept(t, s, 0)
			stop()
			left := lose(t, dir, whole, losses)
			for range 3 {
				s, stop = losses.opened(t, dir, left)
				caughtUp(t, s)
				files := kept(t, s, 1)
				holds(t, files[0], 20)
				stop()
			}
			losses.settled.Store(true)
			s, _ = losses.opened(t, dir, left)
			kept(t, s, 0)
		})
	}
}

// withGap returns l without some of its events.
func withGap(l *memoryLog, first, last uint64) *memoryLog {
	var records []schema.Record
	for _, r := range l.records {
		if r.Seq < first || r.Seq > last {
			records = append(records, r)
		}
	}
	before := uint64(0)
	for i := range records {
		records[i].Missing = records[i].Seq - before - 1
		before = records[i].Seq
	}
	return logOf(records)
}

// renamed gives the generation in use another name.
func renamed(t *testing.T, dir string, change func(*generation)) {
	t.Helper()
	g, ok, err := readCurrent(dir)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	before := g.String()
	change(&g)
	path := filepath.Join(dir, g.String())
	if err := errors.Join(os.Rename(filepath.Join(dir, before), path), writeCurrent(path)); err != nil {
		t.Fatal(err)
	}
}

// TestAReplayKeepsWhatTheLogLost replays while the read models hold events that are gone: those are kept, until
// somebody settles it.
func TestAReplayKeepsWhatTheLogLost(t *testing.T) {
	losses := &ledger{}
	l := issued(20)
	s, _ := losses.opened(t, t.TempDir(), l)
	caughtUp(t, s)
	if _, err := s.Rebuild(t.Context(), false, nil); err != nil { // nothing is lost, so nothing is kept
		t.Fatal(err)
	}
	kept(t, s, 0)
	for n := range keptMost + 1 {
		seq := uint64(n + 2)
		l.mu.Lock()
		l.records = withGap(l, seq, seq).records
		l.mu.Unlock()
		if _, err := s.Rebuild(t.Context(), false, nil); err != nil {
			t.Fatal(err)
		}
		s.retiring.Wait()
		holds(t, kept(t, s, min(n+1, keptMost))[0], 20) // the first, which knows most
	}
	losses.settled.Store(true)
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept(t, s, 0)
}

// TestForgettingKeepsNothing forgets a person while read models are kept, in which the person is.
func TestForgettingKeepsNothing(t *testing.T) {
	losses := &ledger{}
	l := issued(20)
	s, _ := losses.opened(t, t.TempDir(), l)
	caughtUp(t, s)
	for seq := range uint64(2) {
		l.mu.Lock()
		l.records = withGap(l, seq+2, seq+2).records
		l.mu.Unlock()
		if seq == 0 {
			if _, err := s.Rebuild(t.Context(), false, nil); err != nil {
				t.Fatal(err)
			}
			s.retiring.Wait()
			kept(t, s, 1)
		}
	}
	if _, err := s.Forget(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	kept(t, s, 0)
}

// TestACrashBeforeItIsKept ends the process after others were put in use and before what they replaced was kept: the
// next start keeps it.
func TestACrashBeforeItIsKept(t *testing.T) {
	dir, losses := t.TempDir(), &ledger{}
	l := issued(20)
	s, stop := losses.opened(t, dir, l)
	caughtUp(t, s)
	stop()
	old := inUseIn(t, dir)
	copied := filepath.Join(t.TempDir(), "old")
	if err := os.Link(old, copied); err != nil {
		t.Fatal(err)
	}
	left := withGap(l, 4, 5)
	losses.settled.Store(true)
	s, stop = losses.opened(t, dir, left)
	if _, err := s.Rebuild(t.Context(), false, nil); err != nil {
		t.Fatal(err)
	}
	stop()
	losses.settled.Store(false)
	if err := os.Rename(copied, old); err != nil {
		t.Fatal(err)
	}
	s, _ = losses.opened(t, dir, left)
	holds(t, kept(t, s, 1)[0], 20)
}

func inUseIn(t *testing.T, dir string) string {
	t.Helper()
	g, ok, err := readCurrent(dir)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	return filepath.Join(dir, g.String())
}

// endless goes on past an end that is lost with its numbering.
type endless struct {
	*memoryLog
	end uint64
}

func (l endless) Last(context.Context) (uint64, error) { return l.end, nil }

// TestTheLogKnowsThatItsEndIsGone loses the events at the log's end, of which the log knows: the read models that hold
// them stay in use.
func TestTheLogKnowsThatItsEndIsGone(t *testing.T) {
	dir, losses := t.TempDir(), &ledger{}
	l := issued(20)
	s, stop := losses.opened(t, dir, l)
	caughtUp(t, s)
	stop()
	shorter := endless{logOf(l.records[:15]), 20}
	if _, err := shorter.Get(t.Context(), 20); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	losses.lose(schema.Gaps{{First: 16, Last: 20}})
	s, _ = losses.opened(t, dir, shorter)
	caughtUp(t, s)
	items, _, err := List(t.Context(), s, Orders, Query{Limit: MaxLimit, Now: time.Now()})
	if err != nil || len(items) != 20 {
		t.Errorf("%d orders of 20, %v", len(items), err)
	}
	if _, m, err := s.Status(t.Context()); err != nil || m.Held.Events() != 5 {
		t.Errorf("held: %v, %v", m.Held, err)
	}
	kept(t, s, 0)
}
