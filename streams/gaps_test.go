package streams

import (
	"context"
	"slices"
	"testing"

	"github.com/certtrail/certtrail/schema"
)

// TestGapsAreKnown damages events of a closed log, which knows of them when it is open again, and gives their numbers to no others.
func TestGapsAreKnown(t *testing.T) {
	for name, always := range map[string]bool{"block files": false, "served": true} {
		t.Run(name, func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Always: always}
			l := openLog(t, o)
			appendN(t, l, 20)
			l.Close()
			damage(t, o.Dir, `"order_id":"0"`, `"order_id":"6"`, `"order_id":"7"`, `"order_id":"19"`)
			want := schema.Gaps{{First: 1, Last: 1}, {First: 7, Last: 8}, {First: 20, Last: 20}}
			for start := range 3 {
				l = openLog(t, o)
				if got := l.Gaps(); !slices.Equal(got, want) {
					t.Errorf("start %d: gaps %v, want %v", start, got, want)
				}
				if seq, err := l.Append(t.Context(), event(21)); seq != uint64(21+start) || err != nil {
					t.Errorf("start %d: the next event got %d, %v", start, seq, err)
				}
				if got := read(t, l, 0, uint64(21+start)); len(got) != 17+start || got[0].Seq != 2 || got[0].Missing != 1 || got[5].Seq != 9 || got[5].Missing != 2 {
					t.Errorf("start %d: %d events, of which the first is %d, with %d missing", start, len(got), got[0].Seq, got[0].Missing)
				}
				l.Close()
			}
		})
	}
}

// TestReadGoesBackToTheFiles reads a log that is damaged at its beginning and beyond what is taken from the server at once.
func TestReadGoesBackToTheFiles(t *testing.T) {
	const n = 2*servedMost + 10
	dir := t.TempDir()
	l := openLog(t, Options{Dir: dir})
	events := raws(t, 0, n)
	if _, err := l.AppendAll(context.Background(), events); err != nil {
		t.Fatal(err)
	}
	l.Close()
	damage(t, dir, `"`+events[2].ID+`"`, `"`+events[n-5].ID+`"`)
	l = openLog(t, Options{Dir: dir})
	at, read := uint64(0), 0
	err := l.Read(context.Background(), 0, n, func(records []schema.Record) error {
		for _, r := range records {
			if r.Seq <= at || r.Missing > 0 && r.Seq-r.Missing-1 != at {
				t.Fatalf("event %d, with %d missing before it, came after %d", r.Seq, r.Missing, at)
			}
			at = r.Seq
		}
		read += len(records)
		return nil
	})
	if err != nil || read != n-2 || at != n {
		t.Errorf("read %d events up to %d, %v; want %d up to %d", read, at, err, n-2, n)
	}
	if got := l.Gaps(); !slices.Equal(got, schema.Gaps{{First: 3, Last: 3}, {First: n - 4, Last: n - 4}}) {
		t.Errorf("gaps %v", got)
	}
}
