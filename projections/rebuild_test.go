package projections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// digests returns the digests of every table of s, and fails if a rebuild would give others.
func digests(t testing.TB, s *Store) string {
	t.Helper()
	v, err := s.Verify(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range v.Differences {
		t.Error(d)
	}
	var b strings.Builder
	for _, d := range v.Tables {
		fmt.Fprintln(&b, d.Table, d.Rows, d.SHA256)
	}
	return b.String()
}

// TestEveryWayGivesTheSameTables folds one history live, in a rebuild, in a rebuild that was killed and begun again,
// and in batches of other sizes.
func TestEveryWayGivesTheSameTables(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	records := randomHistory(seed, 5000)
	live := logOf(nil)
	s, stop := running(t, t.TempDir(), live)
	for rest := records; len(rest) > 0; {
		n := min(1+random.IntN(700), len(rest))
		live.add(rest[:n]...)
		rest = rest[n:]
	}
	caughtUp(t, s)
	want := digests(t, s)
	if _, err := s.Rebuild(t.Context(), false, nil); err != nil {
		t.Fatal(err)
	}
	if got := digests(t, s); got != want {
		t.Errorf("a rebuild gives\n%s\nand living\n%s", got, want)
	}
	stop()

	t.Run("killed", func(t *testing.T) {
		dir := t.TempDir()
		at := records[random.IntN(len(records))].Seq
		killed := &dying{memoryLog: live, at: at}
		s, err := Open(Options{Dir: dir, Log: live, Aside: killed, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.rebuild(t.Context(), false, "a test", removeDatabase, nil); !errors.Is(err, errKilled) {
			t.Fatalf("killed at %d: %v", at, err)
		}
		// What a killed process leaves is more: the file stays.
		if err := os.WriteFile(filepath.Join(dir, s.next(false).String()), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Close()
		again, _ := running(t, dir, live)
		caughtUp(t, again)
		if got := digests(t, again); got != want {
			t.Errorf("killed at %d and begun again it gives\n%s\nand not\n%s", at, got, want)
		}
	})
	t.Run("batches", func(t *testing.T) {
		other := logOf(records)
		other.split = func() int { return 1 + random.IntN(40) }
		s, _ := running(t, t.TempDir(), other)
		caughtUp(t, s)
		if got := digests(t, s); got != want {
			t.Errorf("in other batches it gives\n%s\nand not\n%s", got, want)
		}
	})
}

// dying reads a log until it dies at an event.
type dying struct {
	*memoryLog
	at uint64
}

var errKilled = errors.New("killed")

func (l *dying) Read(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	return l.memoryLog.Read(ctx, after, until, func(records []schema.Record) error {
		for i := range records {
			if records[i].Seq >= l.at {
				return errKilled
			}
			if err := yield(records[i : i+1]); err != nil {
				return err
			}
		}
		return nil
	})
}

// TestRebuildWhileEventsArrive rebuilds again and again while events arrive and rows are read: none is missing, and
// reading never fails. The torture does it more often.
func TestRebuildWhileEventsArrive(t *testing.T) { rebuildOften(t, 3) }

func rebuildOften(t testing.TB, times int) {
	records := randomHistory(7, 1000+500*times)
	l := logOf(records[:1000])
	s, stop := running(t, t.TempDir(), l)
	defer stop()
	caughtUp(t, s)
	done := make(chan struct{})
	reading := make(chan error, 1)
	go func() {
		var err error
		for stopped := false; !stopped && err == nil; {
			select {
			case <-done:
				stopped = true
			default:
				_, _, err = List(context.Background(), s, Orders, Query{Now: time.Now()})
			}
		}
		reading <- err
	}()
	for rest := records[1000:]; len(rest) > 0; rest = rest[500:] {
		l.add(rest[:250]...)
		rebuilt := make(chan error, 1)
		go func() {
			_, err := s.Rebuild(context.Background(), false, nil)
			rebuilt <- err
		}()
		l.add(rest[250:500]...)
		if err := <-rebuilt; err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	if err := <-reading; err != nil {
		t.Errorf("reading failed during a rebuild: %v", err)
	}
	caughtUp(t, s)
	if seq, err := s.held(t.Context()); err != nil || seq != l.last() {
		t.Errorf("it stands at %d, %v; the log ends at %d", seq, err, l.last())
	}
	digests(t, s)
	if left, err := filepath.Glob(filepath.Join(s.o.Dir, "*.db")); err != nil || len(left) != 1 {
		t.Errorf("files left: %v, %v", left, err)
	}
}

// TestVerifyNamesACell changes one cell by hand.
func TestVerifyNamesACell(t *testing.T) {
	s, _ := running(t, t.TempDir(), logOf(randomHistory(3, 2000)))
	caughtUp(t, s)
	digests(t, s)
	current, _ := s.inUse()
	byHand(t, current.path, "UPDATE orders SET state = 'sold' WHERE (provider, id) = (SELECT provider, id FROM orders ORDER BY provider, id LIMIT 1)")
	v, err := s.Verify(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v.Differing != 1 || len(v.Differences) != 1 || v.Differences[0].Table != "orders" || v.Differences[0].Column != "state" || v.Differences[0].Live != "sold" {
		t.Errorf("%+v", v.Differences)
	}
	byHand(t, current.path, "DELETE FROM domains WHERE (provider, name) = (SELECT provider, name FROM domains ORDER BY provider, name LIMIT 1)")
	if v, err = s.Verify(t.Context(), nil); err != nil || v.Differing != 2 {
		t.Errorf("%+v, %v", v, err)
	}
}

func byHand(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", dsn(path, "mode=rw&_busy_timeout=5000"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// TestDamageUnderARunningStore harms the file in use: reading ends in ErrRebuilding at worst, never in an empty answer,
// and then in the right rows.
func TestDamageUnderARunningStore(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"deleted": os.Remove,
		"cut off": func(path string) error { return os.Truncate(path, 8192) },
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"overwritten": func(path string) error {
			size, err := os.Stat(path)
			if err != nil {
				return err
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt([]byte(strings.Repeat("garbage ", int(size.Size())/8)), 0)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := logOf(randomHistory(5, 1000))
			s, _ := running(t, t.TempDir(), l)
			caughtUp(t, s)
			want := dump(t, s)
			items, _, err := List(t.Context(), s, Orders, Query{Limit: MaxLimit, Now: time.Now()})
			if err != nil || len(items) == 0 {
				t.Fatal(len(items), err)
			}
			before, _ := s.inUse()
			before.readers.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
			byHand(t, before.path, "PRAGMA wal_checkpoint(TRUNCATE)")
			if err := harm(before.path); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(20 * time.Second); ; {
				got, _, err := List(t.Context(), s, Orders, Query{Limit: MaxLimit, Now: time.Now()})
				if err != nil && !errors.Is(err, ErrRebuilding) {
					t.Fatalf("reading gives %v", err)
				}
				if err == nil && len(got) != len(items) {
					t.Fatalf("reading gives %d orders of %d", len(got), len(items))
				}
				if now, _ := s.inUse(); now != nil && now != before {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("it is not rebuilt")
				}
			}
			caughtUp(t, s)
			if got := dump(t, s); got != want {
				t.Error("it was rebuilt otherwise")
			}
		})
	}
}

// TestTheIndexOfTheWriteAheadLogIsCutOff cuts off what every connection has mapped. Whoever touched it would end the
// process, so nothing is read until it is seen.
func TestTheIndexOfTheWriteAheadLogIsCutOff(t *testing.T) {
	s, _ := running(t, t.TempDir(), logOf(randomHistory(5, 500)))
	caughtUp(t, s)
	want := dump(t, s)
	before := generationOf(s)
	if err := os.Truncate(before.path+indexSuffix, 0); err != nil {
		t.Fatal(err)
	}
	until(t, "it is rebuilt", func() bool { f := generationOf(s); return f != nil && f != before })
	caughtUp(t, s)
	if got := dump(t, s); got != want {
		t.Error("it was rebuilt otherwise")
	}
}

// TestOtherFoldsAreBuiltBeside opens a generation of another version of the folds: it is read until the new one is
// there.
func TestOtherFoldsAreBuiltBeside(t *testing.T) {
	dir := t.TempDir()
	l := logOf(randomHistory(5, 3000))
	s, stop := running(t, dir, l)
	caughtUp(t, s)
	current, _ := s.inUse()
	old := current.generation
	stop()
	old.folds += 1000
	if err := os.Rename(current.path, filepath.Join(dir, old.String())); err != nil {
		t.Fatal(err)
	}
	if err := writeCurrent(filepath.Join(dir, old.String())); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Dir: dir, Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	items, _, err := List(t.Context(), s, Orders, Query{Now: time.Now()})
	if err != nil || len(items) == 0 {
		t.Fatalf("the old one is not read: %d, %v", len(items), err)
	}
	s.Close()
	s, _ = running(t, dir, l)
	for deadline := time.Now().Add(20 * time.Second); ; {
		if now, _ := s.inUse(); now != nil && now.fresh() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it is not rebuilt")
		}
	}
	caughtUp(t, s)
	digests(t, s)
}

// TestOtherTablesAreNotRead opens a generation of another version's tables: nothing is read until the new one is there.
func TestOtherTablesAreNotRead(t *testing.T) {
	dir := t.TempDir()
	l := logOf(randomHistory(5, 1000))
	s, stop := running(t, dir, l)
	caughtUp(t, s)
	current, _ := s.inUse()
	stop()
	other := current.generation
	other.tables = strings.Repeat("0", len(other.tables))
	if err := os.Rename(current.path, filepath.Join(dir, other.String())); err != nil {
		t.Fatal(err)
	}
	if err := writeCurrent(filepath.Join(dir, other.String())); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Dir: dir, Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := List(t.Context(), s, Orders, Query{Now: time.Now()}); !errors.Is(err, ErrRebuilding) {
		t.Errorf("tables of another version are read: %v", err)
	}
	s.Close()
	s, _ = running(t, dir, l)
	caughtUp(t, s)
	digests(t, s)
}

// TestBuildSide builds the state of a moment and reads it without a log.
func TestBuildSide(t *testing.T) {
	records := randomHistory(11, 3000)
	s, _ := running(t, t.TempDir(), logOf(records))
	caughtUp(t, s)
	at := records[1500]
	path := filepath.Join(t.TempDir(), "then.db")
	seq, err := s.BuildSide(t.Context(), path, Moment{Seq: at.Seq}, false, nil)
	if err != nil || seq != at.Seq {
		t.Fatal(seq, err)
	}
	if _, err := s.BuildSide(t.Context(), path, Moment{}, false, nil); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a file is overwritten: %v", err)
	}
	then, seq, asOf, err := OpenReadOnly(path, slog.New(slog.DiscardHandler))
	if err != nil || seq != at.Seq || asOf.IsZero() {
		t.Fatal(seq, asOf, err)
	}
	defer then.Close()
	upToThen, _ := running(t, t.TempDir(), logOf(records[:1501]))
	caughtUp(t, upToThen)
	if got, want := dump(t, then), dump(t, upToThen); withoutMoment(got) != withoutMoment(want) {
		t.Error("it is not what a store that was only fed up to then holds")
	}
	for _, beside := range []string{"-wal", "-shm", "-journal", asideSuffix} {
		if _, err := os.Stat(path + beside); err == nil {
			t.Errorf("%s is left beside it", beside)
		}
	}
	if _, _, _, err := OpenReadOnly(filepath.Join(t.TempDir(), "none.db"), nil); err == nil {
		t.Error("a file that is not there is read")
	}
}

// withoutMoment returns a dump without the cursor's line, which alone tells a database of a moment from a server's.
func withoutMoment(dump string) string { return dump[:strings.LastIndex(dump, "cursor")] }

// TestLastReceived finds the last event, in the log's order, that was received by a time.
func TestLastReceived(t *testing.T) {
	records := randomHistory(2, 500)
	s, _ := running(t, t.TempDir(), logOf(records))
	caughtUp(t, s)
	e, err := schema.Decode(records[250].Data)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "then.db")
	seq, err := s.BuildSide(t.Context(), path, Moment{Time: e.Time.Time}, false, nil)
	if err != nil || seq < records[250].Seq {
		t.Fatalf("as of event %d's time it ends at %d, %v", records[250].Seq, seq, err)
	}
	for _, r := range records {
		if later, err := schema.Decode(r.Data); err == nil && r.Seq > seq && !later.Time.After(e.Time.Time) {
			t.Errorf("event %d was received by then, and it ends at %d", r.Seq, seq)
		}
	}
	if _, err := s.BuildSide(t.Context(), path+"2", Moment{Time: time.Unix(0, 0)}, false, nil); err == nil {
		t.Error("there is a state before the first event")
	}
}
