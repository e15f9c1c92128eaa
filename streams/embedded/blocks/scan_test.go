package blocks_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/embedded/blocks"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// written returns the directory of the block files that a server wrote for n events, the events, and the content of its
// first block.
func written(t testing.TB, n int) (blocks.Dir, []streams.Raw, []byte) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "nats")
	l, err := embedded.Open(t.Context(), embedded.Options{Dir: dir, MaxBytes: 24 << 20}) // the server then makes small blocks
	if err != nil {
		t.Fatal(err)
	}
	events := streamstest.Raws(t, 0, n)
	done, err := l.AppendAll(t.Context(), events)
	l.Close()
	if done != n || err != nil {
		t.Fatal(done, err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*", "msgs", blocks.Name(1)))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return blocks.Dir(filepath.Dir(found[0])), events, content
}

// starts returns where the records of a sound first block begin, and where the last one ends.
func starts(t testing.TB, content []byte) []int {
	t.Helper()
	list := []int{0}
	b, err := blocks.Scan(1, content, func(r *blocks.Record) { list = append(list, list[len(list)-1]+r.Length) })
	if err != nil || !b.Whole() {
		t.Fatal(b, err)
	}
	return list
}

// TestWhatTheServerWroteIsRead scans a block as nats-server wrote it: each event has its sequence, subject and bytes,
// and nothing is left over.
func TestWhatTheServerWroteIsRead(t *testing.T) {
	_, events, content := written(t, 20)
	next := uint64(1)
	b, err := blocks.Scan(1, content, func(r *blocks.Record) {
		want := events[next-1]
		if r.Seq != next || string(r.Subject) != want.Subject || !slices.Equal(r.Data, want.Data) {
			t.Errorf("record %d is %d, of %s", next, r.Seq, r.Subject)
		}
		next++
	})
	if err != nil || !b.Whole() || b.Events != 20 || b.First != 1 || b.Last != 20 || b.End != 20 || b.Size != len(content) {
		t.Errorf("%+v, %v", b, err)
	}
	other, err := blocks.Scan(2, content, func(r *blocks.Record) { t.Errorf("record %d is taken out of another block", r.Seq) })
	if err != nil || other.Events != 0 || other.Whole() {
		t.Errorf("as block 2: %+v, %v", other, err)
	}
}

// TestTheEndOfABlock tells a record that was only begun from one that is damaged.
func TestTheEndOfABlock(t *testing.T) {
	_, _, content := written(t, 10)
	begins := starts(t, content)
	for name, c := range map[string]struct {
		content []byte
		cut     bool
		claims  uint64
	}{
		"half a head":           {content[:begins[9]+5], true, 0},
		"half a record":         {content[:begins[10]-7], true, 0},
		"zeros behind it":       {append(slices.Clone(content), make([]byte, 100)...), true, 0},
		"a flip in the last":    {flipped(content, begins[9]+100), false, 10},
		"a flip in the middle":  {flipped(content, begins[4]+100), false, 0},
		"rubbish behind it all": {append(slices.Clone(content), slices.Repeat([]byte{0xA5}, 100)...), false, 11},
	} {
		b, err := blocks.Scan(1, c.content, func(*blocks.Record) {})
		if err != nil || b.Whole() || b.Cut != c.cut || b.Claims != c.claims {
			t.Errorf("%s: cut %t, claims %d, %v; want %t, %d", name, b.Cut, b.Claims, err, c.cut, c.claims)
		}
	}
}

func flipped(content []byte, at int) []byte {
	b := slices.Clone(content)
	b[at] ^= 1
	return b
}

// TestAnErasedRecordKeepsItsNumber puts a record without an event behind others: the next number is behind its own.
func TestAnErasedRecordKeepsItsNumber(t *testing.T) {
	_, _, content := written(t, 3)
	sums, err := blocks.NewSums(1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := blocks.Scan(1, append(content, sums.Erased(9, time.Unix(1, 0))...), func(*blocks.Record) {})
	if err != nil || !b.Whole() || b.Events != 3 || b.Last != 3 || b.End != 9 {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestADamagedBlockIsUnclear reads events out of the files up to the one that is damaged, and over a gap that is known.
func TestADamagedBlockIsUnclear(t *testing.T) {
	dir, _, content := written(t, 20)
	path := filepath.Join(string(dir), blocks.Name(1))
	if err := os.WriteFile(path, flipped(content, starts(t, content)[6]+100), 0o600); err != nil {
		t.Fatal(err)
	}
	read := func(gaps schema.Gaps) (seqs []uint64, err error) {
		err = dir.Read(t.Context(), 2, 20, gaps, func(records []schema.Record) error {
			for _, r := range records {
				seqs = append(seqs, r.Seq)
			}
			return nil
		})
		return seqs, err
	}
	if seqs, err := read(nil); !errors.Is(err, streams.ErrUnclear) || !slices.Equal(seqs, []uint64{3, 4, 5, 6}) {
		t.Errorf("read %v, %v", seqs, err)
	}
	whole := append(slices.Clone(content[:starts(t, content)[6]]), content[starts(t, content)[7]:]...)
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(nil); !errors.Is(err, streams.ErrUnclear) {
		t.Errorf("a gap that nobody knows: %v", err)
	}
	if seqs, err := read(schema.Gaps{{First: 7, Last: 7}}); err != nil || len(seqs) != 17 || seqs[4] != 8 {
		t.Errorf("a gap that is known: %v, %v", seqs, err)
	}
}

// TestNamesOfBlocks takes no other file for a block.
func TestNamesOfBlocks(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"10.blk", "2.blk", "02.blk", "0.blk", "-1.blk", "3.blk.new", "x.blk", "index.db", "4"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := blocks.Numbers(dir); err != nil || !slices.Equal(got, []int{2, 10}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := blocks.Numbers(filepath.Join(dir, "none")); err == nil {
		t.Error("a directory that is not there has blocks")
	}
}

// FuzzScan gives any bytes for a block: every byte is accounted for, and what is sound is sound by itself.
func FuzzScan(f *testing.F) {
	_, _, content := written(f, 4)
	f.Add(content, 0, byte(0))
	f.Add(content, 30, byte(4))
	f.Add(content[:len(content)/2], 3, byte(1))
	f.Fuzz(func(t *testing.T, content []byte, at int, flip byte) {
		content = slices.Clone(content)
		if at >= 0 && at < len(content) {
			content[at] ^= flip
		}
		b, err := blocks.Scan(1, content, func(*blocks.Record) {})
		if err != nil {
			t.Fatal(err)
		}
		var sound []byte
		covered := 0
		for _, s := range b.Sound {
			covered += s.To - s.From
			sound = append(sound, content[s.From:s.To]...)
		}
		for _, s := range b.Broken {
			covered += s.To - s.From
		}
		if covered != len(content) {
			t.Fatalf("%d of %d bytes are accounted for", covered, len(content))
		}
		again, err := blocks.Scan(1, sound, func(*blocks.Record) {})
		if err != nil || !again.Whole() || again.Events != b.Events || again.End != b.End {
			t.Fatalf("what was sound is %+v, %v; before it was %+v", again, err, b)
		}
	})
}
