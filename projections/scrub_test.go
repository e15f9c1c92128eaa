package projections

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// clockwork begins the scrubs of a store under test whenever the test says so. Their pace is not waited for.
type clockwork chan time.Time

func (c clockwork) after(d time.Duration) <-chan time.Time {
	if d >= scrubFirst {
		return c
	}
	now := make(chan time.Time, 1)
	now <- time.Time{}
	return now
}

// scrubbed runs a store over l, with what its scrubs begin by, and what it logs.
func scrubbed(t *testing.T, dir string, l wholeLog, more func(*Options)) (*Store, clockwork, *lockedText) {
	t.Helper()
	c, said := make(clockwork), &lockedText{}
	o := Options{Dir: dir, Log: l, Aside: l, Logger: slog.New(slog.NewTextHandler(said, nil)), After: c.after}
	if more != nil {
		more(&o)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { s.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait(); s.Close() })
	caughtUp(t, s)
	unbuilt(t, s)
	return s, c, said
}

type lockedText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// round lets the store scrub once, and returns how that ended: with what was found, or with another generation because
// SQLite itself found damage.
func (c clockwork) round(t *testing.T, s *Store) Status {
	t.Helper()
	s.setStatus(func(st *Status) { st.Mended, st.Torn = "", "" })
	last := statusOf(t, s).Verified
	unbuilt(t, s)
	select {
	case c <- time.Time{}:
	case <-time.After(20 * time.Second):
		t.Fatal("it does not begin to scrub")
	}
	until(t, "a scrub has ended", func() bool {
		st := statusOf(t, s)
		return st.Verified != last || st.Mended+st.Torn != "" && generationOf(s) != nil
	})
	return statusOf(t, s)
}

// unbuilt waits until nothing is built.
func unbuilt(t testing.TB, s *Store) {
	t.Helper()
	_, leave, err := s.building.acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	leave()
}

func statusOf(t testing.TB, s *Store) Status {
	t.Helper()
	list, _, err := s.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return list[0]
}

func generationOf(s *Store) *file {
	f, _ := s.inUse()
	return f
}

// checkpointed brings what the store has written to its file.
func checkpointed(t *testing.T, s *Store) (path string) {
	t.Helper()
	current, _ := s.inUse()
	byHand(t, current.path, "PRAGMA wal_checkpoint(TRUNCATE)")
	return current.path
}

// TestAScrubFindsFlippedBits flips a bit in every tree of the file in turn, under a running store. Each is found, said,
// and gone afterwards.
func TestAScrubFindsFlippedBits(t *testing.T) {
	l := logOf(randomHistory(11, 500))
	s, c, said := scrubbed(t, t.TempDir(), l, nil)
	if st := c.round(t, s); st.Verified.Differing != 0 || st.Verified.Skipped != "" || st.Mended != "" || st.Verified.Seq != l.last() {
		t.Fatalf("of sound read models: %+v", st.Verified)
	}
	want := dump(t, s)
	trees := treesOf(t, s)
	if len(trees) < 40 {
		t.Fatalf("only %d tables and indexes have anything: %v", len(trees), trees)
	}
	for i, name := range slices.Sorted(maps.Keys(trees)) {
		if trees[name].index && i%4 > 0 { // each way to find it is the same for all indexes
			continue
		}
		before, page := generationOf(s), treesOf(t, s)[name].page
		what := flipCell(t, checkpointed(t, s), page)
		st := c.round(t, s)
		if generationOf(s) == before {
			t.Errorf("%s, %s: it is not found: %+v", name, what, st.Verified)
		}
		caughtUp(t, s)
		if got := dump(t, s); got != want {
			t.Fatalf("%s, %s: it is not mended", name, what)
		}
		if st.Mended+st.Torn == "" {
			t.Errorf("%s, %s: it is not said", name, what)
		}
	}
	if !strings.Contains(said.String(), "the read models are replaced by those that the log gives") {
		t.Errorf("the log says only: %s", said)
	}
	until(t, "nothing else is left", func() bool {
		left, err := filepath.Glob(filepath.Join(s.o.Dir, "*.db*"))
		aside, _ := filepath.Glob(filepath.Join(s.o.Dir, "*"+asideSuffix+"*"))
		return err == nil && len(left)+len(aside) <= 3 // a database, what is written ahead, and its index
	})
}

// tree names a table or an index by the page that it begins at.
type tree struct {
	page  int64
	index bool
}

// treesOf returns the pages at which the tables and indexes begin that have rows.
func treesOf(t *testing.T, s *Store) map[string]tree {
	t.Helper()
	db, done, err := s.reader()
	if err != nil {
		t.Fatal(err)
	}
	defer done(&err)
	rows, err := db.Query("SELECT name, rootpage, type = 'index' FROM sqlite_schema WHERE rootpage > 0")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	trees := map[string]tree{}
	for rows.Next() {
		var name string
		var one tree
		if err := rows.Scan(&name, &one.page, &one.index); err != nil {
			t.Fatal(err)
		}
		trees[name] = one
	}
	current, _ := s.inUse()
	for name, one := range trees {
		if cellsOf(t, current.path, one.page) == 0 {
			delete(trees, name)
		}
	}
	return trees
}

const pageSize = 4096

func pageOf(t *testing.T, path string, page int64) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, pageSize)
	if _, err := f.ReadAt(b, (page-1)*pageSize); err != nil && page > 1 {
		return nil
	}
	return b
}

func cellsOf(t *testing.T, path string, page int64) int {
	b := pageOf(t, path, page)
	if b == nil {
		return 0
	}
	return int(b[3])<<8 | int(b[4])
}

// flipCell changes the last byte of the first cell of a tree, where its last value ends.
func flipCell(t *testing.T, path string, page int64) string {
	t.Helper()
	b := pageOf(t, path, page)
	for b[0] == 2 || b[0] == 5 { // not a leaf: to its first child
		at := int(b[12])<<8 | int(b[13])
		page = int64(b[at])<<24 | int64(b[at+1])<<16 | int64(b[at+2])<<8 | int64(b[at+3])
		b = pageOf(t, path, page)
	}
	cell := int(b[8])<<8 | int(b[9])
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := min(cell+12, pageSize-1)
	if _, err := f.WriteAt([]byte{b[at] ^ 1}, (page-1)*pageSize+int64(at)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("page %d, byte %d", page, at)
}

// TestARowThatCannotBeRead writes what no row has into the file in use: whoever reads it is told to wait, and then gets
// what the log gives.
func TestARowThatCannotBeRead(t *testing.T) {
	l := logOf(randomHistory(5, 2000))
	for name, harm := range map[string]string{
		"text for JSON":       "UPDATE orders SET checks = 'no JSON' WHERE id = (SELECT id FROM orders ORDER BY last_event_at DESC LIMIT 1)",
		"text for a time":     "UPDATE orders SET first_event_at = 'never' WHERE id = (SELECT id FROM orders ORDER BY last_event_at DESC LIMIT 1)",
		"a negative sequence": "UPDATE orders SET last_event_seq = -1 WHERE id = (SELECT id FROM orders ORDER BY last_event_at DESC LIMIT 1)",
		"a row that only an index has": `PRAGMA writable_schema=ON; CREATE TABLE emptied AS SELECT * FROM orders LIMIT 0; DROP TABLE emptied;
			CREATE TABLE orders_none (provider TEXT, id TEXT, PRIMARY KEY (provider, id)) WITHOUT ROWID;
			UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'orders_none') WHERE name = 'orders';
			DELETE FROM sqlite_schema WHERE name = 'orders_none'; PRAGMA writable_schema=RESET`,
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := scrubbed(t, t.TempDir(), l, nil)
			want := dump(t, s)
			before, _ := s.inUse()
			byHand(t, before.path, harm)
			asked := 0
			until(t, "it can be read again", func() bool {
				asked++
				_, _, err := List(t.Context(), s, Orders, Query{Now: time.Now()})
				if err != nil && !errors.Is(err, ErrRebuilding) {
					t.Fatalf("reading gives %v", err)
				}
				return err == nil
			})
			caughtUp(t, s)
			if got := dump(t, s); asked == 1 || got != want {
				t.Errorf("it is not rebuilt; read %d times", asked)
			}
			if status, _, _ := s.Status(t.Context()); status[0].Mended == "" {
				t.Errorf("it is not said: %+v", status)
			}
		})
	}
}

// TestARowThatTheLogGivesSo has rows of which the log itself makes what cannot be read: rebuilding them is no remedy,
// and is not tried for ever.
func TestARowThatTheLogGivesSo(t *testing.T) {
	s, _, _ := scrubbed(t, t.TempDir(), logOf(randomHistory(5, 500)), nil)
	before, _ := s.inUse()
	odd := errors.Join(errUnreadable)
	told := s.judge(before, odd)
	if !errors.Is(told, ErrRebuilding) {
		t.Errorf("at first it is said that %v", told)
	}
	until(t, "it is trusted", func() bool { return !errors.Is(s.judge(before, odd), ErrRebuilding) })
	if now, _ := s.inUse(); now != before {
		t.Error("sound read models were replaced")
	}
}

// TestAScrubLeavesWhatTheLogLost scrubs read models that hold an event that is gone from the log: they stay, and it is
// said that they were not compared.
func TestAScrubLeavesWhatTheLogLost(t *testing.T) {
	l := logOf(randomHistory(5, 500))
	gaps := schema.Gaps{}
	var mu sync.Mutex
	s, c, said := scrubbed(t, t.TempDir(), l, func(o *Options) {
		o.Gaps = func() (gone, accepted schema.Gaps) { mu.Lock(); defer mu.Unlock(); return gaps, nil }
	})
	before, _ := s.inUse()
	mu.Lock()
	gaps = schema.Gaps{{First: 3, Last: 3}}
	mu.Unlock()
	for range 2 {
		if st := c.round(t, s); st.Verified.Skipped == "" || st.Mended != "" {
			t.Errorf("%+v", st)
		}
	}
	if now, _ := s.inUse(); now != before {
		t.Error("they were replaced")
	}
	if n := strings.Count(said.String(), "the read models were not verified"); n != 1 {
		t.Errorf("it was said %d times: %s", n, said)
	}
}

// TestAScrubNeedsRoom has a disk that is nearly full: nothing is built on it.
func TestAScrubNeedsRoom(t *testing.T) {
	s, c, _ := scrubbed(t, t.TempDir(), logOf(randomHistory(5, 500)), func(o *Options) { o.Free = func() (int64, error) { return 1 << 20, nil } })
	if st := c.round(t, s); !strings.Contains(st.Verified.Skipped, "the disk has 1 MiB left") {
		t.Errorf("%+v", st.Verified)
	}
}

// TestAScrubGivesWay has somebody ask for a rebuild during a scrub: they do not wait for its end.
func TestAScrubGivesWay(t *testing.T) {
	l := logOf(randomHistory(5, 3000))
	begin, reached := make(chan time.Time, 1), make(chan struct{}, 1)
	s, _, _ := scrubbed(t, t.TempDir(), l, func(o *Options) {
		o.After = func(d time.Duration) <-chan time.Time {
			if d >= scrubFirst {
				return begin
			}
			select {
			case reached <- struct{}{}:
			default:
			}
			return nil // it goes on when it is ended
		}
	})
	begin <- time.Time{}
	<-reached
	if _, err := s.Rebuild(t.Context(), false, nil); err != nil {
		t.Error(err)
	}
}

// TestScrubsAreSpaced sees that little is looked at often, and much once a day.
func TestScrubsAreSpaced(t *testing.T) {
	for _, c := range []struct {
		worked  time.Duration
		unsound int
		want    time.Duration
	}{{0, 0, time.Minute}, {200 * time.Millisecond, 0, time.Minute}, {4 * time.Second, 0, 400 * time.Second}, {time.Hour, 0, scrubMost}, {0, 3, 8 * time.Minute}, {0, 60, scrubMost}} {
		if got := restAfter(c.worked, c.unsound); got != c.want {
			t.Errorf("after %v of work, unsound %d times: %v, want %v", c.worked, c.unsound, got, c.want)
		}
	}
}
