package embedded

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/gate"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// TestOddFilesRefuseTheStart puts what is no plain file in the place of the log's: the start says so, does not hang,
// and changes nothing.
func TestOddFilesRefuseTheStart(t *testing.T) {
	dir, ids := closedLog(t, 1200)
	for name, put := range map[string]func(t *testing.T, p layout) (back func() error){
		"a block that is a pipe": func(t *testing.T, p layout) func() error {
			path := filepath.Join(p.blocks(), "1.blk")
			if err := os.Rename(path, p.dir+".away"); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			return func() error { return os.Rename(p.dir+".away", path) }
		},
		"blocks behind a link": func(t *testing.T, p layout) func() error {
			if err := os.Rename(p.blocks(), p.dir+".away"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(p.dir+".away", p.blocks()); err != nil {
				t.Fatal(err)
			}
			return func() error {
				if err := os.Remove(p.blocks()); err != nil {
					return err
				}
				return os.Rename(p.dir+".away", p.blocks())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := layout{copyTree(t, dir)}
			back := put(t, p)
			if l, err := Open(context.Background(), Options{Dir: p.dir}); err == nil {
				l.Close()
				t.Error("the log opened")
			} else if !strings.Contains(err.Error(), "nothing of the log was changed") {
				t.Error(err)
			}
			if err := back(); err != nil {
				t.Fatal(err)
			}
			l := openLog(t, Options{Dir: p.dir})
			if got := raw(t, l); len(lostOf(ids, got)) > 0 || len(l.Gaps()) > 0 {
				t.Errorf("%v are gone", lostOf(ids, got))
			}
		})
	}
}

// TestAnIncompleteHoldHarmsNothing starts where only some of the blocks have a second name, as a power cut may leave
// it, and where somebody has put a sound block in the place of a damaged one that is held.
func TestAnIncompleteHoldHarmsNothing(t *testing.T) {
	dir, ids := closedLog(t, 1200)
	hold := func(t *testing.T, dir string, names ...string) {
		held := filepath.Join(layout{dir}.held(), "msgs")
		if err := os.MkdirAll(held, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if err := os.Link(filepath.Join(layout{dir}.blocks(), name), filepath.Join(held, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("some are not held", func(t *testing.T) {
		dir := copyTree(t, dir)
		hold(t, dir, "1.blk")
		l := openLog(t, Options{Dir: dir})
		if got := raw(t, l); len(lostOf(ids, got)) > 0 || len(l.Gaps()) > 0 {
			t.Errorf("%v are gone", lostOf(ids, got))
		}
	})
	t.Run("one was put back by hand", func(t *testing.T) {
		dir := copyTree(t, dir)
		path := filepath.Join(layout{dir}.blocks(), "1.blk")
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		flip(t, path, offsets(t, path)[3]+100, 1)
		hold(t, dir, "1.blk", "2.blk")
		if err := os.WriteFile(path+".sound", sound, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".sound", path); err != nil {
			t.Fatal(err)
		}
		l := openLog(t, Options{Dir: dir})
		if got := raw(t, l); len(lostOf(ids, got)) > 0 || len(l.Gaps()) > 0 {
			t.Errorf("%v are gone", lostOf(ids, got))
		}
	})
}

// TestARestartForgetsNoNumber cuts the log under an open one, and takes its mark away: the numbers of what is gone are
// given to nobody.
func TestARestartForgetsNoNumber(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nats")
	l := openLog(t, Options{Dir: dir})
	streamstest.Append(t, l, 20)
	path := blockPaths(t, dir)[0]
	if err := os.Truncate(path, int64(offsets(t, path)[10])); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(layout{dir}.end()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Repair(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seq, err := l.Append(t.Context(), streamstest.Event(99)); seq != 21 || err != nil {
		t.Errorf("the next event got %d, %v", seq, err)
	}
	if gaps := l.Gaps(); !slices.Equal(gaps, schema.Gaps{{First: 11, Last: 20}}) {
		t.Errorf("gaps %v", gaps)
	}
	if seq, ok, err := readEndMark(layout{dir}.end()); seq != 21 || !ok || err != nil {
		t.Errorf("the mark says %d, %v, %v", seq, ok, err)
	}
}

// TestARestartSyncsNewNames sees that after a restart the names of the blocks are made durable before anything is
// answered.
func TestARestartSyncsNewNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nats")
	var mu sync.Mutex
	synced := map[string]bool{}
	l := openLog(t, Options{Dir: dir, Sync: func(f *os.File) error {
		mu.Lock()
		defer mu.Unlock()
		synced[f.Name()] = true
		return fdatasync(f)
	}})
	streamstest.Append(t, l, 3)
	mu.Lock()
	clear(synced)
	mu.Unlock()
	if _, err := l.Repair(t.Context()); err != nil {
		t.Fatal(err)
	}
	streamstest.Append(t, l, 1)
	mu.Lock()
	defer mu.Unlock()
	if !synced[layout{dir}.blocks()] {
		t.Errorf("the directory of the blocks was not synced: %v", synced)
	}
}

// TestAWrongGapIsNotAccepted has a reader note a gap that is none: it cannot be accepted, and the next reading forgets
// it.
func TestAWrongGapIsNotAccepted(t *testing.T) {
	l := openLog(t, Options{})
	streamstest.Append(t, l, 9)
	l.gaps.Set(schema.Gaps{{First: 4, Last: 5}}, nil, nil)
	if _, err := l.AcceptGap(t.Context(), accepting(schema.Gap{First: 4, Last: 5})); err == nil || !strings.Contains(err.Error(), "its files have events of it") {
		t.Error(err)
	}
	if _, err := l.Repair(t.Context()); err != nil {
		t.Fatal(err)
	}
	if gaps := l.Gaps(); len(gaps) > 0 {
		t.Errorf("gaps %v", gaps)
	}
}

// TestATakenPortStopsNoDeliveries takes the subscribers' port while the server is started again: events are appended,
// and subscribers come in once it is free.
func TestATakenPortStopsNoDeliveries(t *testing.T) {
	l := openLog(t, Options{Listen: "127.0.0.1:0", Access: gate.Access{Subscriber: "secret"}})
	streamstest.Append(t, l, 1)
	l.serving.Lock()
	if err := l.session.close(); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	l.serving.Unlock()
	if _, err := l.Repair(t.Context()); err != nil {
		t.Fatal(err)
	}
	streamstest.Append(t, l, 1)
	taken.Close()
	for {
		conn, err := net.Dial("tcp", l.Addr())
		if err == nil {
			conn.Close()
			break
		}
	}
}

// TestALowerLimitOpensTheLog opens a log with a smaller max-bytes than it had, which it may even exceed: it is read,
// and takes nothing more.
func TestALowerLimitOpensTheLog(t *testing.T) {
	dir, ids := closedLog(t, 1200)
	l := openLog(t, Options{Dir: dir, MaxBytes: 1 << 20})
	if got := raw(t, l); len(lostOf(ids, got)) > 0 {
		t.Errorf("%v are gone", lostOf(ids, got))
	}
	if err := l.Ready(t.Context()); err == nil {
		t.Error("a full log calls itself ready")
	}
}
