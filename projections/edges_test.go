package projections

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain until " + what)
		}
	}
}

// TestAnOldReaderKeepsNothingElse has a reader hold a generation that was deleted and rebuilt: its end removes nothing
// but its own.
func TestAnOldReaderKeepsNothingElse(t *testing.T) {
	s, _ := running(t, t.TempDir(), logOf(randomHistory(5, 500)))
	caughtUp(t, s)
	before, done, err := s.readFile()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(before.path); err != nil {
		t.Fatal(err)
	}
	var after *file
	until(t, "there is another", func() bool { after, _ = s.inUse(); return after != nil && after != before })
	caughtUp(t, s)
	done(new(error))
	s.retiring.Wait()
	if _, err := os.Stat(after.path); err != nil {
		t.Errorf("the new generation went with the old: %v", err)
	}
}

// tailless lacks the last event of a log, though its last sequence is known.
type tailless struct{ *memoryLog }

func (l *tailless) Last(ctx context.Context) (uint64, error) {
	n, err := l.memoryLog.Last(ctx)
	return n + 1, err
}

func TestALogWithoutItsEnd(t *testing.T) {
	s, _ := running(t, t.TempDir(), &tailless{logOf(randomHistory(5, 500))})
	until(t, "the read models are there", func() bool { current, _ := s.inUse(); return current != nil })
	if _, err := s.Rebuild(t.Context(), false, nil); err != nil {
		t.Error(err)
	}
	if _, err := s.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestVerifyOfAnotherLog(t *testing.T) {
	records := randomHistory(5, 500)
	dir := t.TempDir()
	s, stop := running(t, dir, logOf(records))
	caughtUp(t, s)
	stop()
	short := logOf(records[:400])
	s, err := Open(Options{Dir: dir, Log: short, Aside: short, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Verify(t.Context(), nil); !errors.Is(err, schema.ErrPastEnd) {
		t.Errorf("verifying against a shorter log: %v", err)
	}
}

func TestVerifyLooksAtIndexes(t *testing.T) {
	l := logOf(randomHistory(5, 1000))
	dir := t.TempDir()
	s, stop := running(t, dir, l)
	caughtUp(t, s)
	current, _ := s.inUse()
	stop()
	byHand(t, current.path, `PRAGMA journal_mode=DELETE; CREATE TABLE empty (state TEXT, last_event_at TEXT, provider TEXT, id TEXT);
		CREATE INDEX empty_i ON empty (state, last_event_at DESC, provider, id); PRAGMA writable_schema=ON;
		UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name='empty_i') WHERE name='orders_state';
		DELETE FROM sqlite_master WHERE name IN ('empty','empty_i'); PRAGMA writable_schema=RESET`)
	s, err := Open(Options{Dir: dir, Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	v, err := s.Verify(t.Context(), nil)
	if err != nil || v.Differing == 0 || !strings.Contains(fmt.Sprint(v.Differences), "orders_state") {
		t.Errorf("an index that lies: %+v, %v", v, err)
	}
}

// TestWantOfDescriptorsIsNoDamage reads while the process can open no file: the read models are not to blame.
func TestWantOfDescriptorsIsNoDamage(t *testing.T) {
	s, _ := running(t, t.TempDir(), logOf(randomHistory(5, 500)))
	caughtUp(t, s)
	before, _ := s.inUse()
	held, err := before.readers.Conn(t.Context()) // the pool's idle connection, so that the next reader must open one
	if err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = uint64(len(open) - 1)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	_, _, reading := List(t.Context(), s, Orders, Query{Now: time.Now()})
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	held.Close()
	if reading == nil || errors.Is(reading, ErrRebuilding) {
		t.Errorf("reading without a descriptor: %v", reading)
	}
	if _, _, err := List(t.Context(), s, Orders, Query{Now: time.Now()}); err != nil {
		t.Errorf("reading afterwards: %v", err)
	}
	if after, _ := s.inUse(); after != before {
		t.Error("good read models were thrown away")
	}
}

// TestABuildingThatFailsIsNotHurried has every building fail: it is tried again, now and then.
func TestABuildingThatFailsIsNotHurried(t *testing.T) {
	l := &unreadable{memoryLog: logOf(randomHistory(5, 50))}
	s, err := Open(Options{Dir: t.TempDir(), Log: l, Aside: l, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	s.Run(ctx)
	if n := l.tried.Load(); n < 1 || n > 3 {
		t.Errorf("it was tried %d times in a second and a half", n)
	}
}

type unreadable struct {
	*memoryLog
	tried atomic.Int64
}

func (l *unreadable) Read(context.Context, uint64, uint64, func([]schema.Record) error) error {
	l.tried.Add(1)
	return fs.ErrPermission
}

// TestDropTakesNothingElse tells of damage to a generation that another has replaced meanwhile.
func TestDropTakesNothingElse(t *testing.T) {
	s, _ := running(t, t.TempDir(), logOf(randomHistory(5, 500)))
	caughtUp(t, s)
	old, _ := s.inUse()
	if _, err := s.Rebuild(t.Context(), false, nil); err != nil {
		t.Fatal(err)
	}
	now, _ := s.inUse()
	s.drop(old, errDamaged)
	if after, _ := s.inUse(); after != now {
		t.Error("the new generation was dropped for the old one's damage")
	}
}

// TestSideFileIsItsOwners: the database holds all there is to know, and nothing beside it is touched.
func TestSideFileIsItsOwners(t *testing.T) {
	s, _ := running(t, t.TempDir(), logOf(randomHistory(5, 500)))
	caughtUp(t, s)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "then.db.aside"), []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.BuildSide(t.Context(), filepath.Join(dir, "then.db"), Moment{Seq: 100}, false, nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "then.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("in the directory: %v, %v", left, err)
	}
}

// TestLiveOverAGap resumes a page across events that are gone.
func TestLiveOverAGap(t *testing.T) {
	var events []*schema.Event
	for i := range 10 {
		events = append(events, event(i+1, schema.OrderIssued, schema.Data{OrderID: fmt.Sprint(i + 1)}))
	}
	l := newMemoryLog(events...)
	l.records = append(l.records[:4:4], l.records[5:]...)
	l.records[4].Missing = 1
	dir := t.TempDir()
	s, stop := running(t, dir, l)
	caughtUp(t, s)
	stop()
	s, _ = running(t, dir, l)
	caughtUp(t, s)
	var got []uint64
	enough := errors.New("enough")
	if err := s.Live(t.Context(), 2, func(c Change) error {
		if got = append(got, c.Seq); c.Seq == 10 {
			return enough
		}
		return nil
	}); !errors.Is(err, enough) || fmt.Sprint(got) != "[3 4 6 7 8 9 10]" {
		t.Errorf("told of %v, %v", got, err)
	}
}

// TestARebuildThatMustBeEndsAVerification: one can wait, the other cannot.
func TestARebuildThatMustBeEndsAVerification(t *testing.T) {
	s := newBuildLock()
	verifying, leave, err := s.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.acquire(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("two at once: %v", err)
	}
	claimed := make(chan error, 1)
	go func() {
		done, err := s.claim(t.Context())
		if err == nil {
			done()
		}
		claimed <- err
	}()
	<-verifying.Done()
	leave()
	if err := <-claimed; err != nil {
		t.Error(err)
	}
}
