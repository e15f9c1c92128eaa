package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams/embedded/blocks"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// TestAFlippedBitCostsOneEvent flips each bit of a record in its turn, in the middle of a block, at its beginning and
// at the log's end: that event is gone, all others are there, and what the server is given afterwards is sound.
func TestAFlippedBitCostsOneEvent(t *testing.T) {
	const n = 30
	dir, _ := closedLog(t, n)
	path := blockPaths(t, dir)[0]
	block, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	starts := offsets(t, path)
	for _, place := range []int{0, 12, n - 1} {
		from, length := starts[place], starts[place+1]-starts[place]
		for bit := range 8 * length {
			if bit >= 8*64 && bit%13 > 0 && bit < 8*(length-8) { // of the text between head and sum some will do
				continue
			}
			wounded := bytes.Clone(block)
			wounded[from+bit/8] ^= 1 << (bit % 8)
			s, err := blocks.Scan(1, wounded, func(*blocks.Record) {})
			if err != nil {
				t.Fatal(err)
			}
			if s.Events != n-1 {
				// The length of the headers is not under the checksum; a flip there is found all the same or changes
				// nothing.
				if s.Events == n && s.Whole() && headersLengthAt(block[from:], bit/8) {
					continue
				}
				t.Fatalf("record %d, bit %d: %d of %d events are left", place, bit, s.Events, n)
			}
			var mended []byte
			for _, part := range s.Sound {
				mended = append(mended, wounded[part.From:part.To]...)
			}
			again, err := blocks.Scan(1, mended, func(*blocks.Record) {})
			if err != nil || !again.Whole() || again.Events != n-1 {
				t.Fatalf("record %d, bit %d: mended it has %d events, %v", place, bit, again.Events, err)
			}
		}
	}
}

// headersLengthAt reports whether byte i of a record is of the headers' length.
func headersLengthAt(record []byte, i int) bool {
	at := 22 + int(binary.LittleEndian.Uint16(record[20:]))
	return at <= i && i < at+4
}

// damageCase describes a way to damage a closed log.
type damageCase struct {
	damage func(*testing.T, string)
	most   uint64 // events that may be gone; 0: all of the block
	cause  schema.Cause
}

// damageCases returns each way that has cost events, by its name.
func damageCases() map[string]damageCase {
	first := func(t *testing.T, dir string) string { return blockPaths(t, dir)[0] }
	newest := func(t *testing.T, dir string) string { paths := blockPaths(t, dir); return paths[len(paths)-1] }
	inBlock := func(block func(*testing.T, string) string, record, offset int, bit byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			starts := offsets(t, block(t, dir))
			at := record
			if at < 0 {
				at += len(starts) - 1
			}
			flip(t, block(t, dir), starts[at]+offset, bit)
		}
	}
	cutTo := func(block func(*testing.T, string) string, share float64) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			info, err := os.Stat(block(t, dir))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(block(t, dir), int64(float64(info.Size())*share)); err != nil {
				t.Fatal(err)
			}
		}
	}
	removed := func(block func(*testing.T, string) string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(block(t, dir)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return map[string]damageCase{
		"text in an older block":          {inBlock(first, 100, 300, 1), 1, schema.CauseDamaged},
		"text in the newest block":        {inBlock(newest, 100, 300, 1), 1, schema.CauseDamaged},
		"length":                          {inBlock(newest, 20, 2, 8), 1, schema.CauseDamaged},
		"low bit of the sequence":         {inBlock(first, 7, 4, 1), 1, schema.CauseDamaged},
		"high bit of the sequence":        {inBlock(first, 7, 9, 4), 1, schema.CauseDamaged},
		"deleted mark":                    {inBlock(first, 7, 11, 128), 1, schema.CauseDamaged},
		"high bit in the newest":          {inBlock(newest, 7, 8, 64), 1, schema.CauseDamaged},
		"the first record":                {inBlock(first, 0, 60, 1), 1, schema.CauseDamaged},
		"the last record":                 {inBlock(newest, -1, 60, 1), 1, schema.CauseDamaged},
		"the last record's length":        {inBlock(newest, -1, 1, 1), 1, schema.CauseDamaged},
		"a length beyond the file":        {inBlock(newest, -1, 2, 64), 1, schema.CauseDamaged},
		"an older block is gone":          {removed(first), 0, schema.CauseMissing},
		"the newest block is gone":        {removed(newest), 0, schema.CauseEnd},
		"the newest block is cut":         {cutTo(newest, 0.513), 0, schema.CauseDamaged},
		"an older block is cut":           {cutTo(first, 0.5), 0, schema.CauseDamaged},
		"the newest block has no content": {cutTo(newest, 0), 0, schema.CauseEnd},
	}
}

// TestDamageIsMendedBeforeTheServer damages a closed log in each way that has cost events, and sees at three starts in
// a row that only what was damaged is gone, that this is told, and that no number is given twice.
func TestDamageIsMendedBeforeTheServer(t *testing.T) {
	const n = 1500
	dir, ids := closedLog(t, n)
	if got := len(blockPaths(t, dir)); got < 3 {
		t.Fatalf("the log has %d blocks", got)
	}
	for name, d := range damageCases() {
		// As after a clean stop, and as after a kill: what is read before the server starts is the same, so one of them
		// will do for each.
		index := len(name)%2 == 0
		t.Run(fmt.Sprintf("%s, index %v", name, index), func(t *testing.T) {
			t.Parallel()
			dir := copyTree(t, dir)
			d.damage(t, dir)
			if !index {
				if err := os.Remove(filepath.Join(layout{dir}.blocks(), "index.db")); err != nil {
					t.Fatal(err)
				}
			}
			startThrice(t, dir, ids, d)
		})
	}
}

// startThrice starts a damaged log, which had the events ids, three times.
func startThrice(t *testing.T, dir string, ids map[uint64]string, d damageCase) {
	t.Helper()
	n := len(ids)
	expect := maps.Clone(ids)
	var lost schema.Gaps
	for start := range 3 {
		l := openLog(t, Options{Dir: dir, MaxBytes: 24 << 20})
		got := raw(t, l)
		if start == 0 {
			lost = lostOf(expect, got)
			if lost.Events() == 0 || d.most > 0 && lost.Events() > d.most || lost.Events() > uint64(n*3/4) {
				t.Fatalf("%s are gone", lost)
			}
			for _, gap := range lost {
				for seq := gap.First; seq <= gap.Last; seq++ {
					delete(expect, seq)
				}
			}
		}
		if more := lostOf(expect, got); len(more) > 0 || len(got) != len(expect) {
			t.Fatalf("start %d: %s are gone too", start, more)
		}
		if gaps := l.Gaps(); !slices.Equal(gaps, lost) {
			t.Errorf("start %d: the gaps are %v, want %v", start, gaps, lost)
		}
		if losses := l.Losses(); len(losses) != 1 || losses[0].Gap != lost[0] || losses[0].Cause != d.cause {
			t.Errorf("start %d: the losses are %+v, want %s of %v", start, losses, d.cause, lost)
		}
		e := streamstest.Event(start)
		seq, err := l.Append(t.Context(), e)
		if err != nil || seq != uint64(n+1+start) {
			t.Errorf("start %d: the next event got %d, %v", start, seq, err)
		}
		expect[seq] = e.ID
		l.Close()
	}
}

func accepting(gap schema.Gap) *schema.Event {
	return schema.NewGapAccepted(streamstest.Event(1).ID, schema.At(time.Now()), gap)
}

// TestAcceptedGapIsSettled accepts a gap, which is an event, and is not asked again.
func TestAcceptedGapIsSettled(t *testing.T) {
	dir, _ := closedLog(t, 20)
	path := blockPaths(t, dir)[0]
	flip(t, path, offsets(t, path)[4]+100, 1)
	l := openLog(t, Options{Dir: dir})
	for _, wrong := range []schema.Gap{{First: 4, Last: 5}, {First: 6, Last: 6}} {
		if _, err := l.AcceptGap(t.Context(), accepting(wrong)); err == nil || !strings.Contains(err.Error(), "is no gap of the log: what is missing is 5") {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	for range 2 {
		if len(l.Losses()) != 1 || len(l.Accepted()) != 0 {
			t.Errorf("before: losses %v, accepted %v", l.Losses(), l.Accepted())
		}
		l.Close()
		l = openLog(t, Options{Dir: dir})
	}
	if seq, err := l.AcceptGap(t.Context(), accepting(schema.Gap{First: 5, Last: 5})); seq != 21 || err != nil {
		t.Fatal(seq, err)
	}
	if _, err := l.AcceptGap(t.Context(), accepting(schema.Gap{First: 5, Last: 5})); err == nil || !strings.Contains(err.Error(), "accepted already") {
		t.Error(err)
	}
	for range 2 {
		if len(l.Losses()) != 0 || !slices.Equal(l.Accepted(), l.Gaps()) || len(l.Gaps()) != 1 {
			t.Errorf("after: losses %v, accepted %v of %v", l.Losses(), l.Accepted(), l.Gaps())
		}
		l.Close()
		l = openLog(t, Options{Dir: dir})
	}
	if _, err := os.Stat(layout{dir}.losses()); err == nil {
		t.Error("the account of losses stays though nothing is open in it")
	}
}

// TestDeletedFilesArePutBack takes away what the server's recovery took away where a system call failed, at each point
// of a start: nothing is lost.
func TestDeletedFilesArePutBack(t *testing.T) {
	const n = 1500
	dir, ids := closedLog(t, n)
	for name, act := range map[string]func(t *testing.T, g *guard){
		"after the files are held": func(t *testing.T, g *guard) {
			if err := os.RemoveAll(g.layout.stream()); err != nil {
				t.Fatal(err)
			}
		},
		"and another was made": func(t *testing.T, g *guard) {
			if err := os.RemoveAll(g.layout.stream()); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(g.layout.blocks(), 0o750); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"1.blk", "99.blk", "index.db"} {
				if err := os.WriteFile(filepath.Join(g.layout.blocks(), name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		"one block is gone":       func(t *testing.T, g *guard) { os.Remove(filepath.Join(g.layout.blocks(), "1.blk")) },
		"the description is gone": func(t *testing.T, g *guard) { os.Remove(filepath.Join(g.layout.stream(), "meta.inf")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyTree(t, dir)
			o := Options{Dir: dir, MaxBytes: 24 << 20}
			if err := o.complete(); err != nil {
				t.Fatal(err)
			}
			g := newGuard(o)
			if _, err := g.prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			act(t, g)
			l := openLog(t, o) // the next start finds what the one before held
			if got := raw(t, l); len(lostOf(ids, got)) > 0 || len(l.Gaps()) > 0 {
				t.Errorf("%v are gone, gaps %v", lostOf(ids, got), l.Gaps())
			}
			for _, suffix := range []string{"", newSuffix, oldSuffix} {
				if _, err := os.Stat(g.layout.held() + suffix); err == nil {
					t.Errorf("%s is left", g.layout.held()+suffix)
				}
			}
		})
	}
}

// TestNoStreamIsMadeOverEvents has a server that does not find the stream of the log's files: none is made in its
// place.
func TestNoStreamIsMadeOverEvents(t *testing.T) {
	dir, ids := closedLog(t, 10)
	o := Options{Dir: dir}
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	g := newGuard(o)
	r, err := g.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(g.layout.stream()); err != nil {
		t.Fatal(err)
	}
	if s, err := startSession(t.Context(), o, r); err == nil {
		s.close()
		t.Error("a server without the log's files was taken")
	}
	if err := g.putBack(); err != nil {
		t.Fatal(err)
	}
	if got := raw(t, openLog(t, o)); len(lostOf(ids, got)) > 0 {
		t.Errorf("%v are gone", lostOf(ids, got))
	}
}

// TestUnreadableFilesRefuseTheStart makes files of the log such that they cannot be read: the start says which and why,
// and changes nothing.
func TestUnreadableFilesRefuseTheStart(t *testing.T) {
	dir, ids := closedLog(t, 1200)
	for name, breakIt := range map[string]func(path string) error{
		"a directory in its place":  func(path string) error { return os.Mkdir(path, 0o700) },
		"a link that leads nowhere": func(path string) error { return os.Symlink("nowhere", path) },
		"a link to itself":          func(path string) error { return os.Symlink(path, path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyTree(t, dir)
			path := blockPaths(t, dir)[1]
			if err := os.Rename(path, dir+".away"); err != nil {
				t.Fatal(err)
			}
			if err := breakIt(path); err != nil {
				t.Fatal(err)
			}
			l, err := Open(context.Background(), Options{Dir: dir})
			if err == nil {
				l.Close()
				t.Fatal("the log opened")
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "nothing of the log was changed") {
				t.Error(err)
			}
			os.Remove(path)
			if err := os.Rename(dir+".away", path); err != nil {
				t.Fatal(err)
			}
			l = openLog(t, Options{Dir: dir})
			if got := raw(t, l); len(lostOf(ids, got)) > 0 || len(l.Gaps()) > 0 {
				t.Errorf("%v are gone", lostOf(ids, got))
			}
		})
	}
}

// TestAFailedSyncIsToldOfOnce fails a sync: the next start tells what became of the events that were in doubt.
func TestAFailedSyncIsToldOfOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nats")
	broken := false
	l := openLog(t, Options{Dir: dir, Sync: func(f *os.File) error {
		if broken && strings.HasSuffix(f.Name(), blocks.Suffix) {
			return os.ErrInvalid
		}
		return fdatasync(f)
	}})
	streamstest.Append(t, l, 3)
	broken = true
	if _, err := l.Append(t.Context(), streamstest.Event(4)); err == nil {
		t.Fatal("an event was taken without its sync")
	}
	broken = false
	l.Close()
	for start, wants := range []bool{true, false} {
		var said bytes.Buffer
		l = openLog(t, Options{Dir: dir, Logger: slog.New(slog.NewTextHandler(&said, nil))})
		if told := strings.Contains(said.String(), "a sync to disk had failed") && strings.Contains(said.String(), "last_answered=3"); told != wants {
			t.Errorf("start %d says: %s", start, said.String())
		}
		if len(l.Gaps()) > 0 {
			t.Errorf("gaps %v: nothing that was answered is gone", l.Gaps())
		}
		l.Close()
	}
}
